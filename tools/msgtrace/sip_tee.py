"""``msgtrace record --sip``: SIP that passes the network, beside the admin connections, into one recording."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from base64 import b64encode
from collections.abc import Iterator

from msgtrace.answers import Shown
from msgtrace.entries import Account, EntryKind
from msgtrace.live_capture import captured, items
from msgtrace.recorder import SipMessageLine, TeeFile, now
from msgtrace.source import Source


@contextlib.contextmanager
def beside(tee: TeeFile, interface: str, port: int) -> Iterator[None]:
    """While it lasts, SIP to and from ``port`` goes into ``tee``. Raises OSError if nothing can catch packets."""
    loop = asyncio.get_running_loop()
    with captured(interface, f"port {port}") as path:
        source = Source(path, Account())

        def watch() -> None:
            with contextlib.suppress(ValueError, OSError, RuntimeError):  # its end
                for item in items(source):
                    line = line_of(item, port)
                    if line is not None:
                        loop.call_soon_threadsafe(tee.add, line)

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        yield
    watching.join()
    source.close()


def line_of(item: Shown, port: int) -> SipMessageLine | None:
    """A SIP message as a line of a recording; None of what is none, or of others."""
    entry = item.entry
    if entry.kind is not EntryKind.SIP:
        return None
    received = entry.target.endswith(f":{port}")
    if not received and not entry.source.endswith(f":{port}"):
        return None
    local, remote = (entry.target, entry.source) if received else (entry.source, entry.target)
    data = entry.data.encode("latin-1")
    try:
        text, base64 = data.decode("utf-8"), None
    except UnicodeDecodeError:
        text, base64 = None, b64encode(data).decode("ascii")
    return SipMessageLine(
        time=now(),
        direction="received" if received else "sent",
        transport=local.partition("/")[0],
        remote=remote.partition("/")[2],
        local=local.partition("/")[2],
        octets=len(data),
        text=text,
        base64=base64,
    )
