"""The reference client: an SDK for the drachtio admin protocol and the conformance application on top, standard library
alone. ``docs/conformance-app.md`` is the contract that the second half fulfils::

    drachtio-conformance client -- python conformance_apps/python/app.py
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import ssl
import sys
import uuid

METHODS = ["invite", "message", "options", "subscribe", "register", "info", "notify", "publish"]
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"


class Refused(Exception):
    """NO or NOK; the text is the rest of the line."""


class Frame:
    """The tokens of a payload and the SIP message behind them."""

    def __init__(self, payload: bytes) -> None:
        line, _, self.message = payload.partition(b"\r\n")
        self.message = self.message.lstrip(b"\r\n")
        self.tokens = line.decode("utf-8", "surrogateescape").split("|")
        head, _, self.body = self.message.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        self.start = lines[0]
        self.headers = [
            (name.strip().lower(), value.strip())
            for name, _, value in (line.partition(":") for line in lines[1:])
        ]

    def token(self, place: int) -> str:
        return self.tokens[place] if place < len(self.tokens) else ""

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers if known == name), "")

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/") else 0

    @property
    def method(self) -> str:
        return "" if self.status else self.start.partition(" ")[0]

    @property
    def user(self) -> str:
        """The user part of the Request-URI."""
        found = re.match(r"\S+ sips?:([^@;>]*)@", self.start)
        return found[1] if found else ""


class Client:
    """One application: connects, and connects again; hands requests to ``handle``; answers may be awaited."""

    def __init__(self, handle, say) -> None:
        self.handle, self.say = handle, say
        self.writer = None
        self.waiting: dict[str, tuple[asyncio.Future, object]] = {}  # frames without their last answer
        self.pending: dict[str, tuple] = {}  # own requests without their final response
        self.dialogs: dict[str, object] = {}  # who is told of what comes inside
        self.heard = 0.0
        self.tasks: set[asyncio.Task] = set()

    def start(self, work) -> asyncio.Task:
        """Do ``work`` beside all else; what fails is said, and ends nothing."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Refused | ConnectionError):
            self.say("failed", text=str(error))
        elif error:
            task.get_loop().call_exception_handler({"message": "a task failed", "exception": error})

    async def dial(self, host: str, port: int, secret: str, *, tls=None, pause=1.0, ping=20.0) -> None:
        """Connect, and after each loss again, later and later; a refused secret ends it (APP-1, APP-24)."""
        delay = pause
        while True:
            try:
                streams = await asyncio.open_connection(host, port, ssl=tls)
                if await self.serve(*streams, secret, ping=ping):
                    delay = pause
            except Refused as refused:
                return self.say("refused", text=str(refused))
            except OSError as error:
                self.say("unreachable", text=str(error))
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))
            delay = min(delay * 2, 30.0)

    async def serve(self, reader, writer, secret: str, *, ping: float) -> bool:
        """One connection until its end; whether it was of any use. Raises Refused."""
        self.writer, pinging = writer, None
        reading = asyncio.ensure_future(self._read(reader))
        try:
            answer = await self.ask("authenticate", secret, "")
            self.say("connected", hostports=answer.token(4), version=answer.token(5))
            pinging = self.start(self._ping(ping)) if answer.token(5) else None
            for method in METHODS:
                await self.ask("route", method)
            await reading
            return True
        except ConnectionError:
            return False
        finally:
            reading.cancel()
            if pinging:
                pinging.cancel()
            writer.close()
            self.say("disconnected")

    async def _ping(self, every: float) -> None:
        """A connection that is silent is asked for a sign of life (APP-25)."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(every)
            if loop.time() - self.heard >= every:
                try:
                    await asyncio.wait_for(self.ask("ping"), every / 2)
                except TimeoutError:
                    if loop.time() - self.heard >= every:
                        self.writer.transport.abort()
                        return

    async def ask(self, *tokens: str, message: bytes = b"", told=None) -> Frame:
        """Send a frame and wait for its last answer; ``told`` sees each at once. Raises Refused, ConnectionError."""
        if self.writer is None or self.writer.is_closing():
            raise ConnectionError("there is no connection")
        message_id = str(uuid.uuid4())
        future = asyncio.get_running_loop().create_future()
        self.waiting[message_id] = future, told
        payload = "|".join([message_id, *tokens]).encode("utf-8", "surrogateescape")
        payload += b"\r\n" + message if message else b""
        self.writer.write(b"%d#%b" % (len(payload), payload))
        return await future

    async def _read(self, reader) -> None:
        """Frames of any size, in any pieces, until the end (APP-2)."""
        buffer, error = b"", "the connection ended"
        try:
            while data := await reader.read(65536):
                self.heard = asyncio.get_running_loop().time()
                buffer += data
                while found := re.match(rb"([0-9]{1,8})#", buffer):
                    end = found.end() + int(found[1])
                    if len(buffer) < end:
                        break
                    payload, buffer = buffer[found.end() : end], buffer[end:]
                    if payload:
                        self._take(Frame(payload))
                if buffer and not re.match(rb"[0-9]{1,8}(#|\Z)", buffer):
                    error = f"expected a frame, got {buffer[:16]!r}"
                    break
        except OSError as problem:
            error = str(problem)
        self.writer.transport.abort()
        if error != "the connection ended":
            self.say("failed", text=error)
        lost, self.waiting = self.waiting, {}
        for future, _ in lost.values():
            if not future.done():
                future.set_exception(ConnectionError(error))
        for queue, _ in self.pending.values():
            queue.put_nowait(None)

    def _take(self, frame: Frame) -> None:
        if frame.token(1) == "response":
            self._answer(frame)
        elif frame.token(1) == "sip" and frame.status:
            if known := self.pending.get(frame.token(8)):
                queue, hear = known
                if hear:
                    hear(frame)
                queue.put_nowait(frame)
        elif frame.token(1) == "sip" and (frame.token(2) == "network" or frame.method == "BYE"):
            self.handle(frame)
        # of other types this client knows none (FRAME-25)

    def _answer(self, frame: Frame) -> None:
        """All that follows from an echo follows now: what it brings about may be the next frame (FRAME-26)."""
        message_id, result = frame.token(2), frame.token(3)
        future, told = self.waiting.get(message_id, (None, None))
        if future is None:
            if result == "NO":
                self.say("failed", text="|".join(frame.tokens[4:]))  # it belongs to no frame (APP-4)
            return
        if told:
            told(frame)
        if frame.tokens[-1] == "continue":
            return  # more answers to this frame will come (APP-3)
        del self.waiting[message_id]
        if future.done():
            return
        if result == "OK":
            future.set_result(frame)
        else:
            future.set_exception(Refused("|".join(frame.tokens[4:])))

    async def respond(self, request: Frame, status: int, headers="", body=b"", *, owner=None) -> Frame:
        """Answer a request; what comes inside the dialog that this makes is for ``owner``."""

        def told(echo: Frame) -> None:
            if owner and echo.token(3) == "OK" and 100 < status < 300 and echo.token(11):
                self.dialogs.setdefault(echo.token(11), owner)
                owner.id = echo.token(11)

        message = (
            f"SIP/2.0 {status} {_reason(status)}\r\n{headers}\r\n".encode("utf-8", "surrogateescape") + body
        )
        return await self.ask("sip", request.token(8), "", message=message, told=told)

    async def send(self, method: str, *, uri="sip:placeholder", dialog="", headers="", body=b"", hear=None):
        """Send a request; returns its final response, None if the connection was lost.

        ``hear`` sees the echo and each response as it comes: what is behind it may be in its dialog already.
        """
        queue: asyncio.Queue = asyncio.Queue()
        known = []

        def told(echo: Frame) -> None:
            if echo.token(3) == "OK" and method not in ("ACK", "CANCEL"):
                self.pending[echo.token(10)] = queue, hear
                known.append(echo)
                if hear:
                    hear(echo)

        message = f"{method} {uri} SIP/2.0\r\n{headers}\r\n".encode("utf-8", "surrogateescape") + body
        echo = await self.ask("sip", "", dialog, message=message, told=told)
        if not known:
            return echo
        while response := await queue.get():
            if response.status >= 200:
                break
        self.pending.pop(echo.token(10), None)
        return response

    async def cancel(self, transaction: str) -> None:
        """Cancel an INVITE of one's own, by its transaction id alone (APP-14)."""
        await self.ask("sip", transaction, "", message=b"CANCEL sip:placeholder SIP/2.0\r\n\r\n")


def _reason(status: int) -> str:
    known = {
        100: "Trying",
        180: "Ringing",
        183: "Session Progress",
        200: "OK",
        202: "Accepted",
        302: "Moved",
        404: "Not Found",
        405: "Method Not Allowed",
        481: "No Such Call",
        486: "Busy Here",
        501: "Not Implemented",
    }
    return known.get(status, "Whatever")


class Call:
    """A call or subscription, from either side."""

    def __init__(self, client: Client, plan: str = "", name: str = "", *, subscription=False) -> None:
        self.client, self.plan, self.name, self.id = client, plan, name, ""
        self.subscription = subscription

    def over(self) -> None:
        self.client.dialogs.pop(self.id, None)
        self.client.say("over", id=self.name)

    async def inside(self, request: Frame) -> None:
        """A request in the dialog (APP-10)."""
        method, client = request.method, self.client
        if method == "ACK":
            await self.acknowledged()
        elif method == "BYE":
            self.over()
            if request.token(2) == "network":
                await client.respond(request, 200)
        elif method == "INVITE":
            await client.respond(request, 200, "Content-Type: application/sdp\r\n", SDP.encode())
        elif method == "SUBSCRIBE":
            await client.respond(request, 202, f"Expires: {request.header('expires') or 60}\r\n")
            await self.notify(ends=request.header("expires") == "0")
        elif method == "NOTIFY" and "terminated" in request.header("subscription-state"):
            await client.respond(request, 200)
            if self.subscription:  # a call outlives the subscription of a REFER in it (RFC 5057 §4.1)
                self.over()
        elif method in ("INFO", "UPDATE", "OPTIONS", "MESSAGE", "NOTIFY", "PRACK", "REFER"):
            body = SDP.encode() if method == "UPDATE" and request.body else b""
            await client.respond(request, 202 if method == "REFER" else 200, body=body)
        else:
            await client.respond(request, 501)

    async def acknowledged(self) -> None:
        """The caller's ACK has come: go on as planned."""
        plan, self.plan = self.plan, ""
        if plan == "bye":
            await self.hang_up()
        elif plan == "info":
            await self.client.send(
                "INFO",
                dialog=self.id,
                headers="Content-Type: application/dtmf-relay\r\n",
                body=b"Signal=5\r\n",
            )
        elif plan == "refer":
            await self.client.send("REFER", dialog=self.id, headers="Refer-To: <sip:carol@127.0.0.1>\r\n")
        elif plan == "reinvite":
            final = await self.client.send("INVITE", dialog=self.id, body=SDP.encode())
            while final and final.status == 491 and self.id in self.client.dialogs:
                await asyncio.sleep(random.uniform(0, 2))  # APP-18
                final = await self.client.send("INVITE", dialog=self.id, body=SDP.encode())
            if final and final.status < 300:
                await self.client.send("ACK", dialog=self.id)

    async def hang_up(self) -> None:
        await self.client.send("BYE", dialog=self.id)
        self.over()

    async def notify(self, *, ends: bool) -> None:
        state = "terminated" if ends else "active;expires=60"
        headers = f"Event: presence\r\nSubscription-State: {state}\r\n"
        await self.client.send("NOTIFY", dialog=self.id, headers=headers)
        if ends:
            self.over()


class App:
    """The conformance application: does what the user part of a request, or the JSON in a MESSAGE, says."""

    def __init__(self) -> None:
        self.client = Client(self.handle, self.say)
        self.open: dict[str, Frame] = {}  # INVITEs that ring

    def say(self, event: str, **details) -> None:
        print(json.dumps({"event": event, **details}), flush=True)

    def handle(self, request: Frame) -> None:
        """A request has come."""
        call = self.client.dialogs.get(request.token(9))
        if request.method == "CANCEL":
            self.say("cancelled")
            if call:
                call.over()
        elif call:
            self.client.start(call.inside(request))
        elif request.token(2) == "network" and request.method != "ACK":
            self.client.start(
                self.outside(request) if not request.token(9) else self.client.respond(request, 481)
            )

    async def outside(self, request: Frame) -> None:
        client, user = self.client, request.user
        answer = dict(headers="Content-Type: application/sdp\r\n", body=SDP.encode())
        if user == "do":
            await self.told(request)
        elif found := re.fullmatch(r"respond-([1-6][0-9]{2})", user):
            same = request.header("x-echo")
            await client.respond(request, int(found[1]), f"X-Echo: {same}\r\n" if same else "")
        elif user == "echo":
            kind = request.header("content-type")
            await client.respond(request, 200, f"Content-Type: {kind}\r\n" if kind else "", request.body)
        elif user == "proxy":
            await self.proxy(request)
        elif user == "accept" and request.method == "SUBSCRIBE":
            call = Call(client, subscription=True)
            await client.respond(request, 202, f"Expires: {request.header('expires') or 60}\r\n", owner=call)
            await call.notify(ends=request.header("expires") == "0")
        elif user == "accept":
            contact = request.header("contact")
            await client.respond(request, 200, f"Contact: {contact};expires=300\r\n" if contact else "")
        elif request.method == "INVITE" and user.startswith(("answer", "ring")):
            call = Call(client, user.partition("-")[2])
            if user.startswith("ring"):
                await client.respond(request, 180, owner=call)
            if user == "answer-after-prack":
                # The echo of the 200 comes when the PRACK has come: nobody waits for the one before the other.
                headers = f"Require: 100rel\r\n{answer['headers']}"
                client.start(client.respond(request, 183, headers, answer["body"], owner=call))
                await asyncio.sleep(0)  # it is sent now
            if user != "ring":
                await client.respond(request, 200, owner=call, **answer)
        else:
            await client.respond(request, 501)

    async def proxy(self, request: Frame) -> None:
        words = request.header("x-proxy").split()
        options = [
            word if word in words else "" for word in ("remainInDialog", "fullResponse", "followRedirects")
        ]
        order = "simultaneous" if "simultaneous" in words else "serial"
        targets = [target.strip() for target in request.header("x-proxy-to").split(",")]

        def told(frame: Frame) -> None:
            if frame.status:
                self.say("answer", status=frame.status)

        message = f"{request.method} sip:x SIP/2.0\r\n\r\n".encode()
        await self.client.ask(
            "proxy",
            request.token(8),
            *options,
            order,
            "undefined",
            "undefined",
            *targets,
            message=message,
            told=told,
        )
        self.say("proxied")

    async def told(self, request: Frame) -> None:
        """A MESSAGE with JSON: something that the application shall begin."""
        job = json.loads(request.body)
        known = {
            "request": self.request,
            "call": self.call,
            "subscribe": self.subscribe,
            "dialog": self.dialog,
        }
        work = known.get(job.get("do"))
        await self.client.respond(request, 200 if work else 501)
        if work:
            try:
                status = await work(job)
            except (Refused, ConnectionError) as error:
                self.say("result", id=job["id"], text=str(error))
            else:
                self.say("result", id=job["id"], status=status)

    async def request(self, job) -> int:
        lines = "".join(f"{name}: {value}\r\n" for name, value in job.get("headers", {}).items())
        body = job.get("body", "").encode()
        final = await self.client.send(job["method"], uri=job["uri"], headers=lines, body=body)
        return final.status if final else 0

    async def dialog(self, job) -> int:
        final = await self.client.send(job["method"], dialog=job["dialog"])
        return final.status if final else 0

    async def subscribe(self, job) -> int:
        call, headers = (
            Call(self.client, name=job["id"], subscription=True),
            f"Event: presence\r\nExpires: {job.get('expires', 60)}\r\n",
        )
        final = await self.client.send("SUBSCRIBE", uri=job["uri"], headers=headers, hear=self._keep(call))
        if final and final.status < 300:
            self.client.start(self._refresh(call, headers, final))
        return final.status if final else 0

    async def _refresh(self, call: Call, headers: str, final: Frame | None) -> None:
        """Nobody tells that a subscription has run out: it is refreshed in time (APP-17)."""
        while final and final.status < 300 and call.id in self.client.dialogs:
            await asyncio.sleep(int(final.header("expires") or 60) * 0.6)
            if call.id in self.client.dialogs:
                final = await self.client.send("SUBSCRIBE", dialog=call.id, headers=headers)

    async def call(self, job) -> int:
        client, call, lines = self.client, Call(self.client, name=job["id"]), ""
        invite = [""]

        def hear(frame: Frame) -> None:
            self._keep(call)(frame)
            if frame.token(1) == "response":
                invite[0] = frame.token(10)
                tag = frame.header("from").partition("tag=")[2]
                call.identity = frame.header("from"), frame.header("call-id"), frame.header("cseq"), tag
                if job.get("cancel") == "at-once":
                    client.start(client.cancel(invite[0]))
            elif frame.status < 200:
                if job.get("cancel") == "ringing":
                    client.start(client.cancel(invite[0]))
                if "100rel" in frame.header("require"):
                    number = frame.header("cseq")
                    client.start(
                        client.send(
                            "PRACK",
                            dialog=frame.token(9),
                            headers=f"RAck: {frame.header('rseq')} {number}\r\n",
                        )
                    )

        if job.get("reliable"):
            lines = "Supported: 100rel\r\n"
        body = SDP.encode()
        final = await client.send("INVITE", uri=job["uri"], headers=lines, body=body, hear=hear)
        if final and final.status in (401, 407) and job.get("password"):
            lines += (
                credentials(final, "INVITE", job)
                + f"From: {call.identity[0]}\r\nCall-ID: {call.identity[1]}\r\n"
            )
            lines += f"CSeq: {int(call.identity[2].split()[0]) + 1} INVITE\r\n"
            final = await client.send("INVITE", uri=job["uri"], headers=lines, body=body, hear=hear)
        if final and final.status < 300:
            await client.send("ACK", dialog=final.token(9))
            if job.get("bye"):
                await call.hang_up()
        elif call.id:
            client.dialogs.pop(call.id, None)
        return final.status if final else 0

    def _keep(self, call: Call):
        """A response with a dialog id makes the dialog, or another one (APP-9)."""

        def hear(frame: Frame) -> None:
            if frame.token(1) == "sip" and 100 < frame.status < 300 and frame.token(9):
                call.id = frame.token(9)
                self.client.dialogs[call.id] = call

        return hear


def credentials(challenge: Frame, method: str, job) -> str:
    """Digest of RFC 2617 without qop, as a header line."""
    proxy = challenge.status == 407
    asked = dict(
        re.findall(
            r'(\w+)="([^"]*)"', challenge.header("proxy-authenticate" if proxy else "www-authenticate")
        )
    )
    first = hashlib.md5(f"{job['user']}:{asked['realm']}:{job['password']}".encode()).hexdigest()
    second = hashlib.md5(f"{method}:{job['uri']}".encode()).hexdigest()
    response = hashlib.md5(f"{first}:{asked['nonce']}:{second}".encode()).hexdigest()
    value = f'Digest username="{job["user"]}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
    name = "Proxy-Authorization" if proxy else "Authorization"
    return f'{name}: {value}uri="{job["uri"]}", response="{response}"\r\n'


async def main(app: App, environment) -> None:
    secret = environment["DRACHTIO_SECRET"]
    ping, mode = float(environment.get("DRACHTIO_PING", 20)), environment.get("DRACHTIO_MODE", "inbound")
    if mode == "outbound":

        async def accepted(reader, writer) -> None:
            one = App()  # each request has a connection of its own (OUTB-4)
            one.say = one.client.say = app.say
            one.client.tasks = app.client.tasks
            try:
                await one.client.serve(reader, writer, secret, ping=ping)
            except Refused as refused:
                app.say("refused", text=str(refused))

        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        app.say("listening", port=server.sockets[0].getsockname()[1])
        await server.serve_forever()
    tls = ssl.create_default_context(cafile=environment["DRACHTIO_CA"]) if mode == "tls" else None
    pause = float(environment.get("DRACHTIO_RECONNECT", 1))
    host, port = environment["DRACHTIO_HOST"], int(environment["DRACHTIO_PORT"])
    await app.client.dial(host, port, secret, tls=tls, pause=pause, ping=ping)


if __name__ == "__main__":
    try:
        asyncio.run(main(App(), os.environ))
    except KeyboardInterrupt:
        sys.exit(130)
