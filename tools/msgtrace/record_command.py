"""``msgtrace record``."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EPILOG = """\
Let the application connect to PORT instead of the server's admin port; the recorder connects on to the server,
passes every octet on unchanged, and writes what passes to the file. Stop it with Ctrl-C.

  msgtrace record --listen 9023 --to 127.0.0.1:9022 -o calls.jsonl
  msgtrace decode --calls calls.jsonl

The recording holds the shared secret, since it is lossless; the file is readable to you only.
exit code: 0 stopped by a signal, 1 the port or the file cannot be had, 2 wrong usage
"""


def add_record(commands: Commands) -> None:
    """Add the command's options."""
    record = commands.add_parser(
        "record",
        help="record what passes between application and server",
        description="Stands between application and server, and records what passes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    record.add_argument(
        *("--listen",), type=_listen, required=True, metavar="[HOST:]PORT", help="where applications connect"
    )
    record.add_argument("--to", type=_address, required=True, metavar="HOST:PORT", help="the server")
    record.add_argument(
        *("-o", "--output"), default="-", metavar="FILE", help="appended to; standard output if it lacks"
    )
    record.set_defaults(run=_run)


def _listen(text: str) -> tuple[str, int]:
    return _address(text if ":" in text else f"127.0.0.1:{text}")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, got {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _run(options: argparse.Namespace) -> int:
    import asyncio  # here, since decode has no use for it, and it takes a third of its start

    try:
        file = _open(options.output)
    except OSError as error:
        _say(f"cannot write {options.output}: {error.strerror}")
        return 1
    try:
        return asyncio.run(_record(options, file))
    finally:
        if options.output != "-":
            file.close()


def _open(path: str) -> BinaryIO:
    if path == "-":
        return sys.stdout.buffer
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab", 0)


async def _record(options: argparse.Namespace, file: BinaryIO) -> int:
    import asyncio
    import signal

    from msgtrace.recorder import Recorder, TeeFile, name_of

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    recorder = Recorder(options.to, TeeFile(file, _say), _say)
    try:
        address = await recorder.start(*options.listen)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        _say(f"cannot listen on {name_of(options.listen)}: {why}")
        return 1
    _say(f"listening on {name_of(address)}, recording what passes to {name_of(options.to)}")
    await stopped.wait()
    await recorder.stop()
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"msgtrace: {text}\n")
    sys.stderr.flush()
