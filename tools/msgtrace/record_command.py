"""``msgtrace record``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import asyncio

    from msgtrace.recorder import TeeFile, Way

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EPILOG = """\
Let the application connect to PORT instead of the server's admin port; the recorder connects on to the server,
passes every octet on unchanged, and writes what passes to the file. Stop it with Ctrl-C.

  msgtrace record --listen 9023 --to 127.0.0.1:9022 -o calls.jsonl
  msgtrace record --listen 9023 --to 127.0.0.1:9022 --sip lo -o calls.jsonl     SIP, too
  msgtrace record --listen 9023 --to sbc.example.com:9024 --to-tls -o calls.jsonl
  msgtrace record --outbound --listen 4001 --to 127.0.0.1:4000 -o calls.jsonl   the server connects to 4001
  msgtrace decode --calls calls.jsonl

The recording holds the shared secret, since it is lossless; the file is readable to you only.
exit code: 0 stopped by a signal, 1 the port or the file cannot be had, 2 wrong usage
"""
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


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
    record.add_argument(
        *("--outbound",),
        action="store_true",
        help="the server connects to --listen, and the recorder to the application",
    )
    record.add_argument(
        *("--rotate",),
        type=_octets,
        default=0,
        metavar="SIZE",
        help="begin a new FILE behind so many octets (k, M, G); the full one becomes FILE.1, that FILE.2",
    )
    record.add_argument(
        "--keep", type=int, default=10, metavar="N", help="full files that are kept (default: 10)"
    )
    record.add_argument("--sip", metavar="INTERFACE", help="SIP, too: what tcpdump or dumpcap sees there")
    record.add_argument(
        "--sip-port", type=int, default=5060, metavar="PORT", help="the server's (default: 5060)"
    )
    tls = record.add_argument_group("TLS")
    tls.add_argument("--tls-cert", metavar="FILE", help="certificate to listen with, in PEM")
    tls.add_argument("--tls-key", metavar="FILE", help="its key (default: in the same file)")
    tls.add_argument("--to-tls", action="store_true", help="connect by TLS")
    tls.add_argument("--ca", metavar="FILE", help="by which the other side's certificate is verified")
    tls.add_argument("--insecure", action="store_true", help="do not verify it")
    record.set_defaults(run=_run, parser=record)


def _listen(text: str) -> tuple[str, int]:
    return _address(text if ":" in text else f"127.0.0.1:{text}")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, got {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _octets(text: str) -> int:
    number, unit = text.rstrip("kKmMgG"), text[len(text.rstrip("kKmMgG")) :].lower()
    if not number.isdecimal() or unit not in _UNITS or not int(number):
        raise argparse.ArgumentTypeError(f"expected a size like 100M, got {text!r}")
    return int(number) * _UNITS[unit]


def _run(options: argparse.Namespace) -> int:
    import asyncio  # here, since decode has no use for it, and it takes a third of its start

    if options.rotate and options.output == "-":
        options.parser.error("--rotate needs a file: -o FILE")
    if options.rotate and options.keep < 1:
        options.parser.error("--keep is at least 1")
    if (options.ca or options.insecure) and not options.to_tls:
        options.parser.error("--ca and --insecure are for --to-tls")
    if options.tls_key and not options.tls_cert:
        options.parser.error("--tls-key is for --tls-cert")
    try:
        file = _open(options.output)
    except OSError as error:
        _say(f"cannot write {options.output}: {error.strerror}")
        return 1
    return asyncio.run(_record(options, file))


def _open(path: str) -> BinaryIO:
    if path == "-":
        return sys.stdout.buffer
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab", 0)


def _following(path: str, keep: int) -> BinaryIO:
    """The full file becomes ``path.1``, what was that ``path.2`` …; of these ``keep`` are kept."""
    for number in range(keep - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}.{number}", f"{path}.{number + 1}")
    os.replace(path, f"{path}.1")
    return _open(path)


def _way(options: argparse.Namespace) -> Way:
    """How it connects. Raises OSError, of which ssl.SSLError is one, for certificates that cannot be read."""
    import ssl

    from msgtrace.recorder import Way

    listens = connects = None
    if options.tls_cert:
        listens = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        listens.load_cert_chain(options.tls_cert, options.tls_key)
    if options.to_tls:
        connects = ssl.create_default_context(cafile=options.ca)
        if options.insecure:
            connects.check_hostname = False
            connects.verify_mode = ssl.CERT_NONE
    return Way(to=options.to, outbound=options.outbound, listens_by_tls=listens, connects_by_tls=connects)


async def _record(options: argparse.Namespace, file: BinaryIO) -> int:
    import asyncio
    import signal

    from msgtrace.recorder import TeeFile

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    following = partial(_following, options.output, options.keep) if options.rotate else None
    with contextlib.ExitStack() as stack:
        tee = TeeFile(file, _say, most=options.rotate, following=following)
        if options.output != "-":
            stack.callback(tee.close)
        return await _tee(options, tee, stopped)


async def _tee(options: argparse.Namespace, tee: TeeFile, stopped: asyncio.Event) -> int:
    from msgtrace.recorder import Recorder, name_of

    try:
        way = _way(options)
    except OSError as error:
        _say(f"certificates: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        return 1
    recorder = Recorder(way, tee, _say)
    try:
        address = await recorder.start(*options.listen)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        _say(f"cannot listen on {name_of(options.listen)}: {why}")
        return 1
    with contextlib.ExitStack() as stack:
        if options.sip:
            from msgtrace.sip_tee import beside

            try:
                stack.enter_context(beside(tee, options.sip, options.sip_port))
            except OSError as error:
                _say(f"neither tcpdump nor dumpcap can be started: {error.strerror}")
                return 1
        _say(f"listening on {name_of(address)}, recording what passes to {name_of(options.to)}")
        await stopped.wait()
    await recorder.stop()
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"msgtrace: {text}\n")
    sys.stderr.flush()
