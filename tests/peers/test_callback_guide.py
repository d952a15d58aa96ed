"""The callbacks of the guide about request handlers, in Python and Node.js: they run, and the page shows them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_server.config.model import HandlerConfiguration
from tests.conftest import Run
from tests.handlers.test_http_handler import Handled, handled
from tests.test_server import transaction_id_of

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
PROGRAMS = {"by_number.py": sys.executable, "by_number.mjs": "node"}


@pytest.fixture(params=PROGRAMS)
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a running callback."""
    command = [PROGRAMS[request.param], str(GUIDES / "callback" / request.param), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline().rpartition(" ")[2])
        process.terminate()


async def outcome(one: Handled, number: str) -> str:
    phone = await one.phone()
    phone.called = number
    phone.send("INVITE")
    return await one.final(phone)


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_routes_by_the_called_number(run: Run, port: int, slash: str) -> None:
    async def story() -> None:
        async with handled(HandlerConfiguration(url=f"http://127.0.0.1:{port}{slash}")) as one:
            assert await outcome(one, "100") == "SIP/2.0 404 No Such Number"
            assert await outcome(one, "300") == "SIP/2.0 302 Moved"
            assert await outcome(one, "200") == "SIP/2.0 480 Temporarily Unavailable"
            sales = await one.application("invite")
            await sales.ask("authenticate|cymru|sales")
            phone = await one.phone()
            phone.called = "200"
            phone.send("INVITE")
            offered = await sales.receive()
            await sales.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 486 Busy Here\r\n\r\n")
            assert await one.final(phone) == "SIP/2.0 486 Busy Here"

    run(story())


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_page_shows_it_as_it_is(name: str) -> None:
    program = (GUIDES / "callback" / name).read_text("utf-8")
    assert program in (GUIDES / "request-handlers.md").read_text("utf-8")
    assert len(program.splitlines()) <= 30
