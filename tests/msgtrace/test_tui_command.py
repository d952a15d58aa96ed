"""msgtrace tui: what it takes, what it refuses, and packets as they pass."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from drachtio_load.free_port import free_port
from msgtrace.cli import main
from msgtrace.entries import Account
from msgtrace.live_capture import captured, items
from msgtrace.source import Source
from tests.msgtrace import samples


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "expected a FILE, or --capture"),
        (["-"], "takes no recording from there"),
        (["--capture", "lo", "--follow"], "--follow is for files"),
    ],
)
def test_what_does_not_go_together(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tui", *arguments])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tui", str(tmp_path / "absent")]) == 1
    assert "absent: No such file" in capsys.readouterr().err


def test_without_textual_it_tells_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "msgtrace.tui", raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "textual"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual", None)  # as where it is not installed
    assert main(["tui", "x.log"]) == 2
    assert "textual lacks: pip install 'drachtio-conformance[tui]'" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may see what passes an interface")
def test_what_passes_an_interface_is_read_as_it_passes() -> None:
    port = free_port()
    message = samples.busy("live").encode()
    ends = threading.Event()

    def talk() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            while not ends.wait(0.05):  # nothing tells when the capture has begun
                sender.sendto(message, ("127.0.0.1", port))

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        with captured("lo", f"udp port {port}") as path:
            source = Source(path, Account())
            first = next(items(source))
            source.close()
    finally:
        ends.set()
        talking.join()
    assert first.summary == "486 Busy Here (INVITE)"
    assert first.entry.target == f"udp/127.0.0.1:{port}"
