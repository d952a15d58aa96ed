"""Clients with one mistake each, and the case that finds it: the reference client with its source changed."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import Struct

from drachtio_conformance.cases.loader import load
from drachtio_conformance.engine.results import Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.steps.stage import Pace
from tests.conformance.client.reference_app import SCENARIOS, target

CASES = {case.name: case for case in load([SCENARIOS])}


class Broken(Struct, frozen=True):
    """A mistake."""

    mistake: str
    case: str
    """that finds it"""
    changes: tuple[tuple[str, str], ...]
    says: str = ""
    """what stands in the reason"""


def one(mistake: str, case: str, old: str, new: str, says: str = "") -> Broken:
    return Broken(mistake, case, ((old, new),), says)


NEWCOMER = [
    one(
        "the early dialog is given up before the echo of the 2xx that waits for a PRACK",
        "calls/reliable/answer-waits-for-the-prack",
        'echo.token(3) == "OK" and 100 < status < 300',
        'echo.token(3) == "OK" and 200 <= status < 300',
    ),
    one(
        "a request that overtakes the answer to the NOTIFY belongs to nothing",
        "subscriptions/accepted/refresh-overtakes-the-answer-to-notify",
        """request.header('expires') or 60}\\r\\n", owner=call)
            await call.notify(ends=request.header("expires") == "0")""",
        """request.header('expires') or 60}\\r\\n")
            call.id = f"{request.header('call-id')};from-tag={request.header('from').partition('tag=')[2]}"
            await call.notify(ends=request.header("expires") == "0")
            client.dialogs[call.id] = call""",
    ),
    one(
        "the text of a NO with an empty id is lost",
        "connection/refused/no-with-an-empty-id",
        'self.say("failed", text="|".join(frame.tokens[4:]))  # it',
        "pass  # it",
    ),
]
"""What a newcomer's client in Go had, and no vector found."""

OTHERS = [
    one(
        "counts characters",
        "frames/arriving/multibyte-counted",
        "(len(payload), payload))",
        '(len(payload.decode("utf-8", "replace")), payload))',
    ),
    one("forgets what came of a frame", "frames/arriving/octet-by-octet", "buffer += data", "buffer = data"),
    one(
        "reads one frame at a time",
        "frames/arriving/several-at-once",
        'while found := re.match(rb"([0-9]{1,8})#", buffer):',
        'for found in filter(None, [re.match(rb"([0-9]{1,8})#", buffer)]):',
    ),
    one(
        "takes headers for ASCII",
        "frames/arriving/multibyte-cut",
        'lines = head.decode("utf-8", "surrogateescape")',
        'lines = head.decode("ascii", "ignore")',
    ),
    one(
        "takes bodies for text",
        "frames/arriving/binary-body",
        'if kind else "", request.body)',
        'if kind else "", request.body.replace(bytes(1), b""))',
    ),
    one(
        "counts tokens from the end",
        "frames/unknown/more-tokens-of-a-call",
        "self.dialogs.setdefault(echo.token(11), owner)",
        "self.dialogs.setdefault(echo.tokens[-4], owner)",
    ),
    one(
        "stops at an unknown type",
        "frames/unknown/unknown-type",
        "# of other types this client knows none (FRAME-25)",
        'elif frame.token(1): raise ValueError("unknown")',
    ),
    one(
        "answers what it does not know",
        "frames/unknown/unknown-type-with-message",
        "# of other types this client knows none (FRAME-25)",
        "elif frame.method: self.start(self.respond(frame, 405))",
    ),
    one(
        "matches answers by their order",
        "frames/answers/echoes-reversed",
        "message_id, result = frame.token(2), frame.token(3)",
        'message_id, result = next(iter(self.waiting), ""), frame.token(3)',
    ),
    one(
        "ends a call with the subscription of its REFER",
        "calls/going_on/refer-over",
        "if self.subscription:  # a call",
        "if True:  # a call",
    ),
    one(
        "has one connection at a time",
        "connection/kinds/outbound-two-at-once",
        "one = App()  #",
        "one = app  #",
    ),
    one(
        "listens no more behind a refusal",
        "connection/kinds/outbound-refused",
        'app.say("refused", text=str(refused))',
        'app.say("refused", text=str(refused)); server.close()',
    ),
    one(
        "takes one connection only",
        "connection/kinds/outbound-again",
        "one = App()  #",
        "server.close(); one = App()  #",
    ),
    one(
        "takes a connection that was lost early for the end",
        "connection/kinds/outbound-closed-during-authentication",
        "await one.client.serve(reader, writer, secret, ping=ping)",
        "await one.client.serve(reader, writer, secret, ping=ping) or server.close()",
    ),
    one(
        "takes continue for the end",
        "proxying/verb/several-answers",
        'if frame.tokens[-1] == "continue":',
        "if False:",
    ),
    one(
        "cuts texts at a bar",
        "frames/answers/text-with-a-bar",
        'future.set_exception(Refused("|".join(frame.tokens[4:])))',
        "future.set_exception(Refused(frame.token(4)))",
    ),
    one(
        "gives all frames one id",
        "frames/answers/ids-are-unique",
        "message_id = str(uuid.uuid4())",
        'message_id = "1"',
    ),
    one(
        "routes in capitals",
        "connection/beginning/routes-behind-it",
        'self.ask("route", method)',
        'self.ask("route", method.upper())',
    ),
    one(
        "routes twice",
        "connection/beginning/routes-behind-it",
        "for method in METHODS:",
        "for method in [*METHODS, *METHODS[:1]]:",
        "APP-6",
    ),
    one(
        "does not wait for the answer to authenticate",
        "connection/beginning/authenticates-first",
        'answer = await self.ask("authenticate", secret, "")',
        'first = self.start(self.ask("authenticate", secret, ""))\n'
        "            await asyncio.sleep(0)\n"
        '            self.start(self.ask("route", "info"))\n            answer = await first',
        "APP-1",
    ),
    one(
        "tries a wrong secret again",
        "connection/beginning/wrong-secret",
        'return self.say("refused"',
        'self.say("refused"',
    ),
    one(
        "needs an address",
        "connection/beginning/empty-hostports",
        "hostports=answer.token(4)",
        'hostports=answer.token(4).split("/")[1]',
    ),
    one(
        "needs a version",
        "connection/beginning/no-version",
        "version=answer.token(5)",
        "version=answer.tokens[5]",
    ),
    one(
        "answers CANCEL",
        "calls/early/cancelled-while-it-rings",
        'self.say("cancelled")',
        'self.say("cancelled"); self.client.start(self.client.respond(request, 200))',
    ),
    one(
        "answers ACK",
        "calls/answered/caller-hangs-up",
        "await self.acknowledged()",
        "await client.respond(request, 200)",
    ),
    one(
        "leaves methods that it does not know",
        "frames/unknown/unknown-method-outside",
        "            await client.respond(request, 501)\n\n    async def acknowledged",
        "            pass\n\n    async def acknowledged",
    ),
    one(
        "answers twice",
        "answering/rejected/options",
        'f"X-Echo: {same}\\r\\n" if same else "")',
        'f"X-Echo: {same}\\r\\n" if same else ""); await client.respond(request, 200)',
    ),
    one(
        "does not acknowledge",
        "originating/calls/answered",
        'await client.send("ACK", dialog=final.token(9))',
        "pass",
    ),
    one(
        "acknowledges twice",
        "originating/calls/answered",
        'await client.send("ACK", dialog=final.token(9))',
        'client.start(client.send("ACK", dialog=final.token(9))); await client.send("ACK", dialog=final.token(9))',
        "APP-12",
    ),
    one(
        "acknowledges failures",
        "originating/calls/rings-and-is-busy",
        "elif call.id:\n",
        'elif client.start(client.send("ACK", dialog=call.id)) and call.id:\n',
    ),
    one(
        "hangs up ahead of the ACK",
        "originating/calls/hung-up",
        'await client.send("ACK", dialog=final.token(9))',
        'client.start(client.send("BYE", dialog=final.token(9)))',
    ),
    one(
        "cancels by the dialog",
        "originating/calls/cancelled-while-it-rings",
        'self.ask("sip", transaction, "", message',
        'self.ask("sip", transaction, next(iter(self.dialogs), "x"), message',
    ),
    one(
        "sends no PRACK", "originating/calls/reliable", 'if "100rel" in frame.header("require"):', "if False:"
    ),
    one(
        "repeats the CSeq with credentials",
        "originating/calls/credentials",
        "[0]) + 1} INVITE",
        "[0])} INVITE",
        "APP-19",
    ),
    one(
        "answers the server's own BYE",
        "calls/answered/never-acknowledged",
        'if request.token(2) == "network":',
        "if True:",
    ),
    one(
        "leaves the server's own BYE",
        "calls/answered/session-expired",
        'and (frame.token(2) == "network" or frame.method == "BYE")',
        'and frame.token(2) == "network"',
    ),
    one(
        "makes dialog ids",
        "connection/kinds/dialect-0-8-call",
        "owner.id = echo.token(11)",
        "owner.id = f\"{echo.header('call-id')};from-tag={echo.header('from').partition('tag=')[2]}\"",
    ),
    one(
        "leaves requests in a call",
        "calls/inside/info",
        "self.client.start(call.inside(request))",
        'request.method != "INFO" and self.client.start(call.inside(request))',
    ),
    one(
        "hears responses too late",
        "originating/calls/info-while-it-rings",
        "                if hear:\n                    hear(frame)\n                queue",
        "                queue",
    ),
    one(
        "connects once",
        "connection/lost/idle",
        "await asyncio.sleep(delay * random.uniform(0.8, 1.2))",
        "return",
    ),
    one(
        "routes once",
        "connection/lost/idle",
        "for method in METHODS:",
        'for method in (METHODS if self.__dict__.setdefault("n", []) == [] and not self.n.append(1) else []):',
    ),
    one(
        "does not ping",
        "connection/silence/pings",
        "self.start(self._ping(ping)) if answer.token(5) else None",
        "None",
    ),
    one(
        "does not miss a pong",
        "connection/silence/missing-pong",
        "self.writer.transport.abort()\n                        return",
        "pass",
    ),
    one(
        "pings old servers",
        "connection/kinds/dialect-0-8-not-pinged",
        "if answer.token(5) else None",
        "if answer else None",
    ),
    one(
        "gives bodies no type",
        "answering/rejected/type-of-a-body",
        'f"Content-Type: {kind}\\r\\n" if kind else ""',
        '""',
    ),
    one(
        "ends the start line with a lone LF",
        "answering/rejected/options",
        "{_reason(status)}\\r\\n{headers}",
        "{_reason(status)}\\n{headers}",
    ),
    one(
        "misspells options of proxy",
        "proxying/verb/several-answers",
        '"fullResponse", "followRedirects"',
        '"fullresponse", "followRedirects"',
    ),
    one(
        "leaves out tokens of proxy",
        "proxying/verb/all-tokens",
        "            order,\n",
        "",
    ),
    one(
        "gives up on octets that are no frame",
        "connection/refused/no-frame",
        'error = f"expected a frame, got {buffer[:16]!r}"',
        "raise RuntimeError('no frame')",
    ),
    one(
        "does not see the end of a frame's wait",
        "connection/lost/own-request-open",
        "queue.put_nowait(None)",
        "pass",
    ),
    one(
        "does not refresh subscriptions",
        "subscriptions/accepted/own-refreshed",
        "self.client.start(self._refresh(call, headers, final))",
        "pass",
    ),
    one(
        "gives up on 491",
        "calls/going_on/reinvite-pending",
        "while final and final.status == 491",
        "while final and False",
    ),
]


def verdict_of(broken: Broken) -> tuple[Verdict, str]:
    async def story() -> tuple[Verdict, str]:
        runner = Runner(target(*broken.changes), Options(pace=Pace(deadline=1.0)))
        result = await runner.run_case(CASES[broken.case])
        return result.verdict, result.reason

    return asyncio.run(story())


@pytest.mark.filterwarnings("ignore")  # a broken client leaves all sorts of things behind
@pytest.mark.parametrize("broken", [*NEWCOMER, *OTHERS], ids=lambda broken: broken.mistake)
def test_each_mistake_is_found(broken: Broken) -> None:
    verdict, reason = verdict_of(broken)
    assert verdict in (Verdict.FAIL, Verdict.WARN), reason
    assert any(part in reason for part in broken.says.split("|")), reason
