"""``drachtio-test-server``: a reference server that tests in any language steer by HTTP.

It says on its first line of output where it is and with which token, and runs until SIGTERM or SIGINT, or, if it is
told so, until its standard input ends, so that it never outlives whom it serves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import get_args

from drachtio_conformance.targets.target import StartFailed
from drachtio_testing.server import Options, ReferenceServer, Transport

_HELP = """\
Starts a reference server on free ports of 127.0.0.1 and an HTTP door by which tests make telephones, place calls, wait
for what the application did, let time pass and drop connections. The first line of output is JSON: control, token,
host, port, secret, sip. GET /openapi.json says what can be asked for.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="drachtio-test-server", description=_HELP)
    parser.add_argument(
        "--version", action="version", version=f"drachtio-test-server {version('drachtio-conformance')}"
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="of the HTTP door (default: a free one)"
    )
    parser.add_argument("--token", metavar="TEXT", help="bearer token (default: a random one)")
    parser.add_argument("--fault", metavar="LIST", help="harm done to what applications get: split=1,no-pong")
    parser.add_argument(
        "--lint", action="store_true", help="note what applications do that is merely tolerated"
    )
    parser.add_argument(
        "--transports",
        default="",
        metavar="LIST",
        help="by which telephones can call besides udp and tcp: tls,ws,wss",
    )
    parser.add_argument("--dialect", choices=["0.8"], help="of the admin protocol (default: the latest)")
    parser.add_argument("--cdrs", action="store_true", help="send call detail records")
    parser.add_argument("--until-eof", action="store_true", help="end when the standard input does, too")
    parser.add_argument(
        "--patience", type=float, default=5.0, metavar="SECONDS", help="how long telephones wait"
    )
    chosen = parser.parse_args(arguments)
    try:
        import aiohttp  # noqa: F401
    except ModuleNotFoundError:
        sys.stderr.write("drachtio-test-server needs aiohttp: pip install 'drachtio-conformance[http]'\n")
        return 2
    named = [name for name in chosen.transports.split(",") if name]
    if unknown := [name for name in named if name not in get_args(Transport)]:
        parser.error(f"--transports: expected {', '.join(get_args(Transport))}, got '{unknown[0]}'")
    options = Options(
        fault=chosen.fault,
        lint=chosen.lint,
        patience=chosen.patience,
        dialect=chosen.dialect,
        cdrs=chosen.cdrs,
        transports=("udp", "tcp", *named),
    )
    try:
        return asyncio.run(
            _serve(options, chosen.port, chosen.token or secrets.token_urlsafe(24), chosen.until_eof)
        )
    except (StartFailed, ValueError) as error:
        sys.stderr.write(f"drachtio-test-server: {error}\n")
        return 2


async def _serve(options: Options, port: int, token: str, until_eof: bool) -> int:
    from aiohttp import web

    from drachtio_testing.control import Control

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        reading = asyncio.ensure_future(reader.read())
        reading.add_done_callback(lambda _: stop.set())
    async with ReferenceServer(options) as server:
        runner = web.AppRunner(Control(server, token).application())
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            try:
                await site.start()
            except OSError as error:
                sys.stderr.write(
                    f"drachtio-test-server: cannot listen on 127.0.0.1:{port}: {error.strerror}\n"
                )
                return 3
            address = runner.addresses[0]
            ready = {
                "control": f"http://127.0.0.1:{address[1]}",
                "token": token,
                "host": server.host,
                "port": server.port,
                "secret": server.secret,
                "sip": server.sips(),
            }
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
            await stop.wait()
        finally:
            await runner.cleanup()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
