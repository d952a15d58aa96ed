"""How fast msgtrace decodes, in megabytes a second, for each form of log; and what ``record`` adds to a round trip.

The logs are made here, of basic calls as a drachtio-srf application sees them; each is decoded by a process of its own,
which has no more than that to do; its CPU and peak memory are the operating system's accounting. A bench is no test: it
judges nothing. ``python -m tests.bench.msgtrace`` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

GOALS = {"one line": 50.0, "--stats": 100.0, "--jsonl": 25.0}
"""MB/s"""

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20400 RTP/AVP 0 101\r\n"
    + ("a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n")
)


# What the kernel tells of the memory of a child counts that of its parent before it became another program.
_DECODE = """
import sys
from msgtrace.cli import main
code = main()
sys.stderr.write(open("/proc/self/status").read())
sys.exit(code)
"""


class Speed(Struct, frozen=True, kw_only=True):
    """One measurement."""

    form: str
    style: str
    megabytes: float
    seconds: float
    """CPU of the whole process, its start included: what else the machine does counts not"""
    peak: float
    """megabytes of memory"""

    @property
    def rate(self) -> float:
        """MB/s."""
        return self.megabytes / self.seconds

    @property
    def told(self) -> str:
        """In one line."""
        goal = GOALS[self.style]
        what = f"msgtrace  {self.form:13}  {self.style:9}"
        return f"{what}  {self.rate:6.1f} MB/s  (goal {goal:.0f})  {self.peak:5.0f} MB of memory"


def exchange(number: int) -> Iterator[tuple[bool, str]]:
    """A basic call: (from the server?, payload)."""
    ids = [f"{number:08x}-0000-4000-8000-{index:012x}" for index in range(14)]
    transaction, bye = ids[12], ids[13]
    call_id = f"{number:010x}@127.0.0.1"
    dialog = f"{call_id};from-tag=dwwm9ulk"
    via = f"Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK{number:010x};rport=5070\r\n"
    parties = f"From: <sip:alice@127.0.0.1:5070>;tag=dwwm9ulk\r\nTo: <sip:bob@127.0.0.1>{{}}\r\nCall-ID: {call_id}\r\n"
    tag = ";tag=Fv3F2B95K092r"
    meta = "udp|127.0.0.1|5070|07:33:51.717647"
    invite = (
        f"INVITE sip:bob@127.0.0.1 SIP/2.0\r\n{via}Max-Forwards: 70\r\n{parties.format('')}CSeq: 1 INVITE\r\n"
        f"Contact: <sip:alice@127.0.0.1:5070>\r\nUser-Agent: bench\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n\r\n{_SDP}"
    )
    yield True, f"{ids[0]}|sip|network|{len(invite)}|{meta}|{transaction}||127.0.0.1|5060|\r\n{invite}"
    for index, (status, body) in enumerate((("180 Ringing", ""), ("200 OK", _SDP))):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        asked, told = ids[1 + 2 * index], ids[2 + 2 * index]
        yield False, f"{asked}|sip|{transaction}|\r\nSIP/2.0 {status}\r\n{kind}\r\n{body}"
        sent = (
            f"SIP/2.0 {status}\r\n{via}{parties.format(tag)}CSeq: 1 INVITE\r\nContact: <sip:127.0.0.1:5060>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        head = f"{told}|response|{asked}|OK|application|{len(sent)}|{meta}|{transaction}|{dialog}||Msg sent:|"
        yield True, f"{head}\r\n{sent}"
    for index, method in enumerate(("ACK", "BYE")):
        request = (
            f"{method} sip:127.0.0.1:5060 SIP/2.0\r\n{via}Max-Forwards: 70\r\n{parties.format(tag)}"
            f"CSeq: {index + 1} {method}\r\nContent-Length: 0\r\n\r\n"
        )
        yield True, f"{ids[5 + index]}|sip|network|{len(request)}|{meta}|{bye}|{dialog}|\r\n{request}"
    yield False, f"{ids[7]}|sip|{bye}|\r\nSIP/2.0 200 OK\r\n\r\n"
    sent = f"SIP/2.0 200 OK\r\n{via}{parties.format(tag)}CSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"
    yield (
        True,
        f"{ids[8]}|response|{ids[7]}|OK|application|{len(sent)}|{meta}|{bye}|{dialog}||Msg sent:|\r\n{sent}",
    )


def moment(number: int) -> str:
    """Time of a message, a tenth of a millisecond behind the one before: ``07:26:06.658000``."""
    seconds, fraction = divmod(number, 10_000)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{100 * fraction:06}"


def bare(from_server: bool, payload: str, time: str) -> str:
    """A stream of frames."""
    return f"{len(payload)}#{payload}"


def client(from_server: bool, payload: str, time: str) -> str:
    """What the logger of drachtio-srf gets."""
    return f"{'<===' if from_server else '===>'}\r\n{len(payload)}#{payload}\r\n"


def winston(from_server: bool, payload: str, time: str) -> str:
    """The same in JSON lines."""
    record = {
        "level": "info",
        "message": client(from_server, payload, time),
        "timestamp": f"2026-11-23T{time[:-3]}Z",
    }
    return json.dumps(record) + "\n"


def debug(from_server: bool, payload: str, time: str) -> str:
    """DEBUG=drachtio:agent."""
    way = "<===" if from_server else "wp#send 127.0.0.1:9022 - "
    return f"2026-11-23T{time[:-3]}Z drachtio:agent {way}{len(payload)}#{payload}\n"


def server(from_server: bool, payload: str, time: str) -> str:
    """The server's log at debug."""
    if from_server:
        return f"2026-11-23 {time} Client::send Sending: {len(payload)}#{payload}\n\n"
    return f"2026-11-23 {time} Client::read_handler read: {payload}\n\n"


FORMS: dict[str, Callable[[bool, str, str], str]] = {
    "bare stream": bare,
    "client log": client,
    "JSON lines": winston,
    "DEBUG output": debug,
    "server log": server,
}


def written(form: str, parts: Iterable[tuple[bool, str]], number: int = 0) -> str:
    """``parts`` (from the server?, payload) in a form of log; ``number`` messages came before."""
    write = FORMS[form]
    return "".join(write(*part, moment(index)) for index, part in enumerate(parts, number))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the logs, decode them, print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.msgtrace", description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100.0, help="size of each log")
    parser.add_argument("--form", action="append", choices=tuple(FORMS), help="only this form")
    options = parser.parse_args(arguments)
    for speed in measure(options.megabytes, options.form or list(FORMS)):
        sys.stdout.write(f"{speed.told}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{recorder().told}\n")
    return 0


class Added(Struct, frozen=True):
    """What the recorder adds to a round trip, in milliseconds."""

    median: float
    p99: float

    @property
    def told(self) -> str:
        """In one line."""
        times = f"{self.median:.3f} ms to a round trip (goal: 0.2 each way), {self.p99:.3f}"
        return f"msgtrace  record         adds {times} at the 99th percentile"


_FRAMES_A_SECOND = 2000
"""that pass the recorder, there and back"""


def recorder(rounds: int = 3000) -> Added:
    """Round trips of 600 octets to an echo, direct and through ``msgtrace record`` in turns, at a steady rate."""
    return asyncio.run(_recorder(rounds))


async def _recorder(rounds: int) -> Added:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    listener = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "msgtrace.cli", "record", "--listen", "0", "--to", f"127.0.0.1:{port}"),
        *("-o", os.devnull),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    ready = (await process.stderr.readline()).decode()
    ports = (port, int(ready.partition("127.0.0.1:")[2].partition(",")[0]))
    ends = [await asyncio.open_connection("127.0.0.1", number) for number in ports]
    times: tuple[list[float], list[float]] = ([], [])
    message = b"594#" + b"x" * 594
    due = time.perf_counter()
    for number in range(2 * rounds + 200):
        which = number % 2
        reader, writer = ends[which]
        while time.perf_counter() < due:
            await asyncio.sleep(0)
        due += 1 / _FRAMES_A_SECOND  # every second one passes the recorder, as two frames
        begin = time.perf_counter()
        writer.write(message)
        await reader.readexactly(len(message))
        if number >= 200:
            times[which].append(1000 * (time.perf_counter() - begin))
    for _, writer in ends:
        writer.close()
    process.terminate()
    await process.wait()
    listener.close()
    direct, through = (statistics.quantiles(part, n=100) for part in times)
    return Added(through[49] - direct[49], through[98] - direct[98])


def measure(megabytes: float, forms: Sequence[str]) -> Iterator[Speed]:
    """One measurement after the other, each the best of three: noise only ever adds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        for form in forms:
            with path.open("w", encoding="utf-8", newline="") as file:
                number = messages = 0
                while file.tell() < megabytes * 1e6:
                    parts = [part for n in range(number, number + 200) for part in exchange(n)]
                    file.write(written(form, parts, messages))
                    number, messages = number + 200, messages + len(parts)
            for style in GOALS:
                yield min((_run(path, form, style) for _ in range(3)), key=lambda speed: speed.seconds)


def _run(path: Path, form: str, style: str) -> Speed:
    command = [sys.executable, "-c", _DECODE, "decode", str(path)]
    # What is imported is compiled once, as it is for a user, and not anew at each start.
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(path.with_name("compiled"))}
    with subprocess.Popen(
        command if style == "one line" else [*command, style],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **kept},
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{form}: msgtrace ended with {process.returncode}: {said}")
    return Speed(
        form=form,
        style=style,
        megabytes=path.stat().st_size / 1e6,
        seconds=usage.ru_utime + usage.ru_stime,
        peak=int(said.partition("VmHWM:")[2].split()[0]) / 1024,
    )


if __name__ == "__main__":
    sys.exit(main())
