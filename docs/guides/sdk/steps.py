"""The seven steps of "An SDK in an hour": ``python steps.py 4`` says pass, or what went wrong."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from drachtio import Client, Connection, Decoder, Frame, Refused, encode

SECRET = "cymru"


def vectors(name: str) -> list[dict]:
    """A file of vectors; ``drachtio-conformance vectors export vectors`` writes them."""
    return json.loads((Path(os.environ.get("VECTORS", "vectors")) / f"{name}.json").read_text("utf-8"))


@asynccontextmanager
async def server() -> AsyncIterator[dict]:
    """A reference server on free ports: what it says of itself on its first line."""
    arguments = ["--secret", SECRET, "--port", "0", "--contact", "sip:127.0.0.1:0;transport=udp,tcp"]
    process = await asyncio.create_subprocess_exec(
        "drachtio-reference-server",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    ready["port"] = int(ready["admin"].rpartition(":")[2])
    ready["udp"] = next(each for each in ready["sip"] if each.startswith("udp/")).removeprefix("udp/")
    try:
        yield ready
    finally:
        process.terminate()
        await process.wait()


async def call(ready: dict, *arguments: str) -> int:
    """A telephone calls; 0 if it was answered, 1 if it was refused."""
    command = ["drachtio-conformance", "call", f"sip:bob@{ready['udp']}", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    return await process.wait()


def equal(found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"expected {expected!r}, got {found!r}")


async def step_1() -> None:
    """Frames: every stream of framing.json, octet by octet."""
    for vector in vectors("framing"):
        if vector.get("limit"):
            continue  # a client has no limit
        decoder, found, broken = Decoder(), [], False
        try:
            for octet in bytes.fromhex(vector["wire"]):
                found += decoder.feed(bytes([octet]))
        except ValueError:
            broken = True
        expected = vector.get("decoded") or vector["error"]
        equal((vector["id"], [payload.hex() for payload in found]), (vector["id"], expected["payloads"]))
        equal(broken, "error" in vector)


async def step_2() -> None:
    """Tokens: every frame of a server is read, and written again as it was."""
    for vector in vectors("to-application"):
        if vector.get("dialect") == "0.8":
            continue
        wire = bytes.fromhex(vector["wire"])
        (payload,) = Decoder().feed(wire)
        frame = Frame.parse(payload)
        equal(frame.tokens[1], vector["decoded"]["tokens"]["type"])
        equal(encode(frame.format()), wire)


async def step_3() -> None:
    """A connection: the right secret, a wrong one, a ping."""
    async with server() as ready:
        connection = await Connection.open("127.0.0.1", ready["port"], SECRET)
        equal((await connection.ask("ping")).token(4), "pong")
        connection.close()
        try:
            await Connection.open("127.0.0.1", ready["port"], "wrong")
        except Refused as failure:
            equal(str(failure), "incorrect secret")
        else:
            raise SystemExit("a wrong secret was accepted")


async def busy(connection: Connection, invite: Frame) -> None:
    await connection.respond(invite, "486 Busy Here")


async def step_4() -> None:
    """Route and reject: a telephone calls and hears 486."""
    async with server() as ready:
        connection = await Connection.open("127.0.0.1", ready["port"], SECRET)
        await connection.route("invite", busy)
        equal(await call(ready), 1)
        connection.close()


async def answer(connection: Connection, invite: Frame) -> None:
    await connection.accept(invite, "200 OK", inside, body=b"v=0\r\n")


async def inside(connection: Connection, request: Frame) -> None:
    if request.method != "ACK":  # BYE, INFO, a re-INVITE …
        await connection.respond(request, "200 OK")


async def step_5() -> None:
    """Answer: a telephone calls, acknowledges, and hangs up."""
    async with server() as ready:
        connection = await Connection.open("127.0.0.1", ready["port"], SECRET)
        await connection.route("invite", answer)
        equal(await call(ready), 0)
        connection.close()


async def step_6() -> None:
    """Call: one application calls another, by two servers, and hangs up."""
    async with server() as near, server() as far:
        called = await Connection.open("127.0.0.1", far["port"], SECRET)
        await called.route("invite", answer)
        calling = await Connection.open("127.0.0.1", near["port"], SECRET)
        final = await calling.begin("INVITE", f"sip:bob@{far['udp']}", inside, body=b"v=0\r\n")
        equal(final.status, 200)
        equal((await calling.send("BYE", dialog=final.token(9))).status, 200)
        calling.close()
        called.close()


async def step_7() -> None:
    """Survive: the server ends the connection in a call; the client connects again, takes the call up and ends it."""
    async with server() as near, server() as far:
        called = await Connection.open("127.0.0.1", far["port"], SECRET)
        await called.route("invite", answer)
        client = Client(SECRET, pause=0.01, failed=[].append)
        dialling = asyncio.ensure_future(client.dial("127.0.0.1", near["port"]))
        first = await client.connected()
        final = await first.begin("INVITE", f"sip:bob@{far['udp']}", inside, body=b"v=0\r\n")
        try:
            await first.ask("nonsense")
        except Refused as refused:  # what the server does not know it answers NO, and closes (APP-4)
            equal(str(refused), "Unknown message type")
        await first.reading
        again = await client.connected()
        equal((await again.send("BYE", dialog=final.token(9))).status, 200)
        dialling.cancel()
        again.close()
        called.close()


STEPS = [step_1, step_2, step_3, step_4, step_5, step_6, step_7]

if __name__ == "__main__":
    if sys.argv[1:] not in [[str(number)] for number in range(1, 8)]:
        raise SystemExit("usage: python steps.py 1 … 7")
    asyncio.run(asyncio.wait_for(STEPS[int(sys.argv[1]) - 1](), 60))
    print(f"step {sys.argv[1]}: pass")
