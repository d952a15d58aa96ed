"""The conformance app of the reference client: docs/conformance-app.md is the contract, ``drachtio.py`` the client::

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
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from drachtio import Client, Connection, Frame, Refused

METHODS = ["INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "REGISTER", "INFO", "NOTIFY", "PUBLISH"]
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
SDP_TYPE = "Content-Type: application/sdp\r\n"
Job = dict[str, Any]


class App:
    """Does what the user part of a request, or the JSON in a MESSAGE, says."""

    client: Client

    def say(self, event: str, **details: object) -> None:
        """Tell the suite what cannot be seen on the wire."""
        print(json.dumps({"event": event, **details}), flush=True)

    # [requests]
    async def outside(self, connection: Connection, request: Frame) -> None:
        """A request outside dialogs."""
        found = re.match(r"\S+ sips?:([^@;>]*)@", request.start)
        user = found[1] if found else ""
        if wanted := re.fullmatch(r"respond-([1-6][0-9]{2})", user):
            same = request.header("X-Echo")
            await connection.respond(
                request, f"{wanted[1]} As You Wish", f"X-Echo: {same}\r\n" if same else ""
            )
        elif user == "echo":
            kind = request.header("Content-Type")
            await connection.respond(
                request, "200 OK", f"Content-Type: {kind}\r\n" if kind else "", request.body
            )
        elif user == "do":
            await self.told(connection, request)
        elif user == "proxy":
            await self.proxy(connection, request)
        elif user == "accept" and request.method == "SUBSCRIBE":
            await Call(self, subscription=True).subscribed(connection, request)
        elif user == "accept":
            contact = request.header("Contact")
            await connection.respond(request, "200 OK", f"Contact: {contact};expires=300\r\n")
        elif user.startswith(("answer", "ring")) and request.method == "INVITE":
            await self.pick_up(connection, request, user)
        else:
            await connection.respond(request, "501 Not Implemented")

    async def pick_up(self, connection: Connection, invite: Frame, user: str) -> None:
        call = Call(self, plan=user.partition("-")[2])
        if user.startswith("ring"):
            await connection.accept(invite, "180 Ringing", call.inside)
        if user == "answer-after-prack":
            try:
                await connection.accept(
                    invite, "183 Session Progress", call.inside, f"Require: 100rel\r\n{SDP_TYPE}", SDP
                )
            except Refused as refused:  # the caller knows no 100rel
                self.say("failed", text=str(refused))
        if user != "ring":
            await connection.accept(invite, "200 OK", call.inside, SDP_TYPE, SDP)

    async def cancelled(self, connection: Connection, cancel: Frame) -> None:
        self.say("cancelled")

    async def proxy(self, connection: Connection, request: Frame) -> None:
        words = request.header("X-Proxy").split()
        options = ("remainInDialog", "fullResponse", "followRedirects")
        tokens = [word if word in words else "" for word in options]
        tokens += ["simultaneous" if "simultaneous" in words else "serial", "undefined", "undefined"]
        tokens += [target.strip() for target in request.header("X-Proxy-To").split(",")]

        def told(answer: Frame) -> None:
            if answer.status:
                self.say("answer", status=answer.status)

        message = f"{request.method} sip:placeholder SIP/2.0\r\n\r\n".encode()
        await connection.ask("proxy", request.token(8), *tokens, message=message, told=told)
        self.say("proxied")

    # [jobs]
    async def told(self, connection: Connection, request: Frame) -> None:
        """A MESSAGE with JSON: something that the application shall begin."""
        job = json.loads(request.body)
        known = {
            "request": self.request,
            "dialog": self.request,
            "call": self.call,
            "subscribe": self.subscribe,
        }
        work = known.get(job["do"])
        await connection.respond(request, "200 OK" if work else "501 Not Implemented")
        if work:
            try:
                final = await work(connection, job)
                self.say("result", id=job["id"], status=final.status)
            except (Refused, ConnectionError) as error:
                self.say("result", id=job["id"], text=str(error))

    async def request(self, connection: Connection, job: Job) -> Frame:
        headers = "".join(f"{name}: {value}\r\n" for name, value in job.get("headers", {}).items())
        uri, dialog = job.get("uri", "sip:placeholder"), job.get("dialog", "")
        return await connection.send(
            job["method"], uri, dialog, headers=headers, body=job.get("body", "").encode()
        )

    async def subscribe(self, connection: Connection, job: Job) -> Frame:
        call = Call(self, job["id"], subscription=True)
        headers = f"Event: presence\r\nExpires: {job.get('expires', 60)}\r\n"
        final = await connection.begin("SUBSCRIBE", job["uri"], call.inside, headers=headers)
        if final.status < 300:
            self.client.start(call.refresh(final, headers))
        return final

    async def call(self, connection: Connection, job: Job) -> Frame:
        call, headers = Call(self, job["id"]), "Supported: 100rel\r\n" if job.get("reliable") else ""

        def told(frame: Frame) -> None:
            echo = frame.token(1) == "response"
            transaction = frame.token(10 if echo else 8)
            if job.get("cancel") == ("at-once" if echo else "ringing") and frame.status < 200:
                del job["cancel"]
                self.client.start(connection.cancel(transaction))
            if frame.status < 200 and "100rel" in frame.header("Require"):
                rack = f"RAck: {frame.header('RSeq')} {frame.header('CSeq')}\r\n"
                self.client.start(connection.send("PRACK", dialog=frame.token(9), headers=rack))

        invite = partial(connection.begin, "INVITE", job["uri"], call.inside, body=SDP, told=told)
        final = await invite(headers=headers)
        if final.status in (401, 407) and "password" in job:
            final = await invite(headers=headers + credentials(final, job))
        if final.status < 300 and job.get("bye"):
            await call.hang_up(connection, final.token(9))
        return final


# [inside]
class Call:
    """A call or subscription, from either side."""

    def __init__(self, app: App, name: str = "", plan: str = "", *, subscription: bool = False) -> None:
        """``name``: of the job that began it; ``plan``: what is done when the ACK comes."""
        self.app, self.name, self.plan = app, name, plan
        self.subscription = subscription

    async def inside(self, connection: Connection, request: Frame) -> None:
        """A request in the dialog (APP-10)."""
        dialog = request.token(9)
        match request.method:
            case "ACK":
                await self.acknowledged(connection, dialog)
            case "CANCEL":
                self.app.say("cancelled")
                self.over(dialog)
            case "BYE":
                self.over(dialog)
                if request.token(2) == "network":  # else the server has sent it itself (APP-15)
                    await connection.respond(request, "200 OK")
            case "INVITE":
                await connection.respond(request, "200 OK", SDP_TYPE, SDP)
            case "UPDATE":
                await connection.respond(request, "200 OK", body=SDP if request.body else b"")
            case "SUBSCRIBE":
                await self.subscribed(connection, request)
            case "NOTIFY":
                await connection.respond(request, "200 OK")
                # A call outlives the subscription of a REFER in it (RFC 5057 §4.1).
                if self.subscription and "terminated" in request.header("Subscription-State"):
                    self.over(dialog)
            case "REFER":
                await connection.respond(request, "202 Accepted")
            case "INFO" | "OPTIONS" | "MESSAGE" | "PRACK":
                await connection.respond(request, "200 OK")
            case _:
                await connection.respond(request, "501 Not Implemented")

    def over(self, dialog: str) -> None:
        if self.app.client.dialogs.pop(dialog, None):
            self.app.say("over", id=self.name)

    async def acknowledged(self, connection: Connection, dialog: str) -> None:
        """The caller's ACK has come: go on as planned, once."""
        plan, self.plan = self.plan, ""
        match plan:
            case "bye":
                await self.hang_up(connection, dialog)
            case "info":
                headers = "Content-Type: application/dtmf-relay\r\n"
                await connection.send("INFO", dialog=dialog, headers=headers, body=b"Signal=5\r\n")
            case "refer":
                await connection.send("REFER", dialog=dialog, headers="Refer-To: <sip:carol@127.0.0.1>\r\n")
            case "reinvite":
                final = await connection.send("INVITE", dialog=dialog, body=SDP)
                while final.status == 491 and dialog in self.app.client.dialogs:
                    await asyncio.sleep(random.uniform(0, 2))  # APP-18
                    final = await connection.send("INVITE", dialog=dialog, body=SDP)
                if final.status < 300:
                    await connection.send("ACK", dialog=dialog)

    async def hang_up(self, connection: Connection, dialog: str) -> None:
        await connection.send("BYE", dialog=dialog)
        self.over(dialog)

    async def subscribed(self, connection: Connection, request: Frame) -> None:
        """A SUBSCRIBE, the first one or a refresh: 202, and a NOTIFY behind it."""
        expires = request.header("Expires") or "60"
        dialog = await connection.accept(request, "202 Accepted", self.inside, f"Expires: {expires}\r\n")
        state = "terminated" if expires == "0" else f"active;expires={expires}"
        headers = f"Event: presence\r\nSubscription-State: {state}\r\n"
        await connection.send("NOTIFY", dialog=dialog, headers=headers)
        if expires == "0":
            self.over(dialog)

    async def refresh(self, final: Frame, headers: str) -> None:
        """Nobody tells that a subscription has run out: it is refreshed in time (APP-17)."""
        dialog, client = final.token(9), self.app.client
        while final.status < 300:
            await asyncio.sleep(int(final.header("Expires") or 60) * 0.6)
            if dialog not in client.dialogs:
                break
            connection = await client.connected()
            final = await connection.send("SUBSCRIBE", dialog=dialog, headers=headers)


def credentials(challenge: Frame, job: Job) -> str:
    """Headers by which a challenged INVITE is sent again (APP-19): Digest without qop, RFC 2617."""
    ask, answer = "WWW-Authenticate", "Authorization"
    if challenge.status == 407:
        ask, answer = "Proxy-Authenticate", "Proxy-Authorization"
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge.header(ask)))

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    user, realm, nonce, uri = job["user"], asked["realm"], asked["nonce"], job["uri"]
    response = md5(md5(user, realm, job["password"]), nonce, md5("INVITE", uri))
    return (
        f"From: {challenge.header('From')}\r\n"
        f"Call-ID: {challenge.header('Call-ID')}\r\n"
        f"CSeq: {int(challenge.header('CSeq').split()[0]) + 1} INVITE\r\n"
        f'{answer}: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}"\r\n'
    )


# [start]
async def main(app: App, environment: Mapping[str, str]) -> None:
    """Connect as the environment says. Ends when the secret is refused."""
    app.client = client = Client(
        environment["DRACHTIO_SECRET"],
        pause=float(environment.get("DRACHTIO_RECONNECT", 1)),
        ping=float(environment.get("DRACHTIO_PING", 20)),
        failed=lambda text: app.say("failed", text=text),
    )
    client.handlers = dict.fromkeys(METHODS, app.outside) | {"CANCEL": app.cancelled}

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await client.serve(reader, writer)
        except Refused as refused:
            app.say("refused", text=str(refused))

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client.start(served(reader, writer))

    mode = environment.get("DRACHTIO_MODE", "inbound")
    if mode == "outbound":
        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        app.say("listening", port=server.sockets[0].getsockname()[1])
        try:  # not serve_forever(): when that is cancelled it waits for all who are connected (since Python 3.12)
            await asyncio.Event().wait()
        finally:
            server.close()
    tls = ssl.create_default_context(cafile=environment["DRACHTIO_CA"]) if mode == "tls" else None
    try:
        await client.dial(environment["DRACHTIO_HOST"], int(environment["DRACHTIO_PORT"]), tls)
    except Refused as refused:
        app.say("refused", text=str(refused))


def end_with_standard_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    asyncio.run(main(App(), os.environ))
