"""The wall clock is set while calls are up: nothing but the times that are shown hangs on it."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Run
from tests.test_server import Phone, serving, transaction_id_of


@pytest.mark.parametrize("step", [-54 * 365 * 86_400.0, -3600.0, 86_400.0, 28 * 365 * 86_400.0])
def test_calls_and_timers_do_not_notice(run: Run, monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            client = await application("invite")
            answered, waiting = await Phone.to(server), await Phone.to(server)
            answered.send("INVITE")
            offered = await client.receive()
            waiting.send("INVITE")
            await client.receive()
            real = time.time
            monkeypatch.setattr(time, "time", lambda: real() + step)
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert [await answered.status() for _ in range(2)] == [100, 200]
            answered.send("ACK", cseq=1)
            await client.receive()
            assert await waiting.status() == 100
            await server.advance(63)
            assert waiting.came.empty(), "a step is no time that passes"
            await server.advance(2)
            assert await waiting.status() == 504
            waiting.send("ACK", same=True)
            assert "\r\nCANCEL " in await client.receive()
            answered.send("BYE")
            bye = await client.receive()
            await client.ask(f"sip|{transaction_id_of(bye)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await answered.status() == 200
            for phone in (answered, waiting):
                phone.transport.close()

    run(story())
