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
    chances: int = 1
    """runs in which it must be found once: octets that are sent apart are read together where the machine is busy"""


def one(mistake: str, case: str, old: str, new: str, says: str = "") -> Broken:
    return Broken(mistake, case, ((old, new),), says)


NEWCOMER = [
    one(
        "the early dialog is given up before the echo of the 2xx that waits for a PRACK",
        "calls/reliable/answer-waits-for-the-prack",
        "        return await self.respond(request, status, headers, body, told=told)",
        '        if status.startswith("200"):\n'
        "            self.application.dialogs.clear()\n"
        "        return await self.respond(request, status, headers, body, told=told)",
    ),
    one(
        "a request that overtakes the answer to the NOTIFY belongs to nothing",
        "subscriptions/accepted/refresh-overtakes-the-answer-to-notify",
        """await connection.send("NOTIFY", dialog=dialog, headers=headers)
""",
        """self.app.client.dialogs.pop(dialog)
        await connection.send("NOTIFY", dialog=dialog, headers=headers)
        self.app.client.dialogs[dialog] = self.inside
""",
    ),
    one(
        "the text of a NO with an empty id is lost",
        "connection/refused/no-with-an-empty-id",
        "self.application.failed(text)  # it",
        "pass  # it",
    ),
]
"""What a newcomer's client in Go had, and no vector found."""

OTHERS = [
    one(
        "has no dialog before the 2xx",
        "calls/reliable/answer-waits-for-the-prack",
        "            if echo.token(11):\n",
        "            if echo.token(11) and echo.status >= 200:\n",
    ),
    one(
        "counts characters",
        "frames/arriving/multibyte-counted",
        "(len(payload), payload)",
        '(len(payload.decode("utf-8", "replace")), payload)',
    ),
    Broken(
        "forgets what came of a frame",
        "frames/arriving/octet-by-octet",
        (("self._buffer += data", "self._buffer = data"),),
        chances=3,
    ),
    one(
        "reads one frame at a time",
        "frames/arriving/several-at-once",
        "                yield payload\n",
        "                yield payload\n                break\n",
    ),
    one(
        "takes headers for ASCII",
        "frames/arriving/multibyte-cut",
        'head = self.message.partition(b"\\r\\n\\r\\n")[0].decode("utf-8", "surrogateescape")',
        'head = self.message.partition(b"\\r\\n\\r\\n")[0].decode("ascii", "ignore")',
    ),
    one(
        "takes bodies for text",
        "frames/arriving/binary-body",
        'if kind else "", request.body',
        'if kind else "", request.body.replace(bytes(1), b"")',
    ),
    one(
        "counts tokens from the end",
        "frames/unknown/more-tokens-of-a-call",
        "dialogs[echo.token(11)] = inside",
        "dialogs[echo.tokens[-4]] = inside",
    ),
    one(
        "stops at an unknown type",
        "frames/unknown/unknown-type",
        "# any other type: left out (FRAME-25)",
        'elif frame.token(1): raise KeyError("unknown")',
    ),
    one(
        "answers what it does not know",
        "frames/unknown/unknown-type-with-message",
        "# any other type: left out (FRAME-25)",
        'elif frame.method: self.application.start(self.respond(frame, "405 No"))',
    ),
    one(
        "matches answers by their order",
        "frames/answers/echoes-reversed",
        'text = "|".join(frame.tokens[4:])',
        'text, frame.tokens[2] = "|".join(frame.tokens[4:]), next(iter(self._waiting), "")',
    ),
    one(
        "ends a call with the subscription of its REFER",
        "calls/going_on/refer-over",
        'if self.subscription and "terminated"',
        'if "terminated"',
    ),
    one(
        "has one connection at a time",
        "connection/kinds/outbound-two-at-once",
        "application.start(handler(self, request))",
        "application.start(handler(application._connection, request))",
    ),
    one(
        "listens no more behind a refusal",
        "connection/kinds/outbound-refused",
        "            await client.serve(reader, writer)\n        except Refused as refused:\n",
        "            await client.serve(reader, writer)\n"
        "        except Refused as refused:\n"
        "            server.close()\n",
    ),
    one(
        "takes one connection only",
        "connection/kinds/outbound-again",
        "client.start(served(reader, writer))",
        "server.close(), client.start(served(reader, writer))",
    ),
    one(
        "takes a connection that was lost early for the end",
        "connection/kinds/outbound-closed-during-authentication",
        "            await client.serve(reader, writer)\n",
        "            try:\n"
        "                await client.serve(reader, writer)\n"
        "            except ConnectionError:\n"
        "                server.close()\n",
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
        "last.set_exception(Refused(text))",
        "last.set_exception(Refused(frame.token(4)))",
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
        'await connection.ask("route", method.lower())',
        'await connection.ask("route", method)',
    ),
    one(
        "routes twice",
        "connection/beginning/routes-behind-it",
        "        for method in self.handlers:\n",
        "        for method in [*self.handlers, *self.handlers]:\n",
        "APP-6",
    ),
    one(
        "does not wait for the answer to authenticate",
        "connection/beginning/authenticates-first",
        'greeting = await connection.ask("authenticate", self._secret, "")',
        'first = self.start(connection.ask("authenticate", self._secret, ""))\n'
        "        await asyncio.sleep(0)\n"
        '        self.start(connection.ask("route", "info"))\n        greeting = await first',
        "APP-1",
    ),
    one(
        "tries a wrong secret again",
        "connection/beginning/wrong-secret",
        "            except OSError as error:\n                self.failed(",
        "            except (OSError, Refused) as error:\n                print(end=",
    ),
    one(
        "needs an address",
        "connection/beginning/empty-hostports",
        "if greeting.token(5):",
        'if greeting.token(4).split("/")[1] and greeting.token(5):',
    ),
    one(
        "needs a version",
        "connection/beginning/no-version",
        "if greeting.token(5):",
        "if greeting.tokens[5]:",
    ),
    one(
        "answers CANCEL",
        "calls/early/cancelled-while-it-rings",
        'self.app.say("cancelled")',
        'self.app.say("cancelled"); await connection.respond(request, "200 OK")',
    ),
    one(
        "answers ACK",
        "calls/answered/caller-hangs-up",
        "await self.acknowledged(connection, dialog)",
        'await connection.respond(request, "200 OK")',
    ),
    one(
        "leaves methods that it does not know",
        "frames/unknown/unknown-method-outside",
        '                await connection.respond(request, "501 Not Implemented")\n\n    def over',
        "                pass\n\n    def over",
    ),
    one(
        "answers twice",
        "answering/rejected/options",
        '        elif user == "echo":\n',
        '            await connection.respond(request, "200 OK")\n        elif user == "echo":\n',
    ),
    one(
        "does not acknowledge",
        "originating/calls/answered",
        'await self.send("ACK", dialog=final.token(9))',
        "pass",
    ),
    one(
        "acknowledges twice",
        "originating/calls/answered",
        'await self.send("ACK", dialog=final.token(9))',
        'await asyncio.gather(*(self.send("ACK", dialog=final.token(9)) for _ in range(2)))',
        "APP-12",
    ),
    one(
        "acknowledges failures",
        "originating/calls/rings-and-is-busy",
        "                for dialog in known:\n",
        "                for dialog in known:\n"
        '                    self.application.start(self.send("ACK", dialog=dialog))\n',
    ),
    one(
        "hangs up ahead of the ACK",
        "originating/calls/hung-up",
        'await self.send("ACK", dialog=final.token(9))',
        'self.application.start(self.send("BYE", dialog=final.token(9)))',
    ),
    one(
        "cancels by the dialog",
        "originating/calls/cancelled-while-it-rings",
        'self.ask("sip", transaction, "", message',
        'self.ask("sip", transaction, next(iter(self.application.dialogs), "x"), message',
    ),
    one("sends no PRACK", "originating/calls/reliable", '"100rel" in frame.header("Require")', "False"),
    one(
        "repeats the CSeq with credentials",
        "originating/calls/credentials",
        ".split()[0]) + 1} INVITE",
        ".split()[0])} INVITE",
        "APP-19",
    ),
    one(
        "answers the server's own BYE",
        "calls/answered/never-acknowledged",
        'if request.token(2) == "network":  # else',
        "if True:  # else",
    ),
    one(
        "leaves the server's own BYE",
        "calls/answered/session-expired",
        '        elif frame.token(1) == "sip":\n',
        '        elif frame.token(1) == "sip" and frame.token(2) == "network":\n',
    ),
    one(
        "makes dialog ids",
        "connection/kinds/dialect-0-8-call",
        "                await self.hang_up(connection, dialog)",
        "                await self.hang_up(connection, f\"{dialog.partition(';')[0]};from-tag=tag\")",
    ),
    one(
        "leaves requests in a call",
        "calls/inside/info",
        '            case "INFO" | "OPTIONS"',
        '            case "INFO": pass\n            case "OPTIONS"',
    ),
    one(
        "hears responses too late",
        "originating/calls/info-while-it-rings",
        "        told(response)\n",
        "        if response.status >= 200:\n            told(response)\n",
    ),
    one(
        "connects once",
        "connection/lost/idle",
        "await asyncio.sleep(pause * random.uniform(0.8, 1.2))",
        "return",
    ),
    one(
        "routes once",
        "connection/lost/idle",
        "        for method in self.handlers:\n",
        "        routed, self.routed = hasattr(self, 'routed'), True\n"
        "        for method in () if routed else self.handlers:\n",
    ),
    one(
        "does not ping",
        "connection/silence/pings",
        "self.start(self._ping(connection))",
        "pass",
    ),
    one(
        "does not miss a pong",
        "connection/silence/missing-pong",
        "                        connection.close()\n",
        "                        pass\n",
    ),
    one(
        "pings old servers",
        "connection/kinds/dialect-0-8-not-pinged",
        "if greeting.token(5):",
        "if greeting:",
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
        "SIP/2.0 {status}\\r\\n{headers}",
        "SIP/2.0 {status}\\n{headers}",
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
        'if "simultaneous" in words else "serial", "undefined"',
        'if "simultaneous" in words else "serial"',
    ),
    one(
        "gives up on octets that are no frame",
        "connection/refused/no-frame",
        "        except (OSError, ValueError) as error:\n",
        "        except OSError as error:\n",
    ),
    one(
        "does not see the end of a frame's wait",
        "connection/lost/own-request-open",
        "[*self._waiting.values(), *self._open.values()]",
        "self._waiting.values()",
    ),
    one(
        "does not refresh subscriptions",
        "subscriptions/accepted/own-refreshed",
        "self.client.start(call.refresh(final, headers))",
        "pass",
    ),
    one(
        "gives up on 491",
        "calls/going_on/reinvite-pending",
        "while final.status == 491",
        "while False",
    ),
]


def verdict_of(broken: Broken) -> tuple[Verdict, str]:
    """Of the client with its mistake, which is given a little longer than the one without needs for the whole case."""

    async def story() -> tuple[Verdict, str]:
        whole = await Runner(target()).run_case(CASES[broken.case])
        assert whole.verdict is Verdict.PASS, whole.reason
        patience = whole.duration + 0.25
        runner = Runner(target(*broken.changes), Options(pace=Pace(deadline=patience, longest=patience)))
        result = await runner.run_case(CASES[broken.case])
        return result.verdict, result.reason

    return asyncio.run(story())


@pytest.mark.filterwarnings("ignore")  # a broken client leaves all sorts of things behind
@pytest.mark.parametrize("broken", [*NEWCOMER, *OTHERS], ids=lambda broken: broken.mistake)
def test_each_mistake_is_found(broken: Broken) -> None:
    for _ in range(broken.chances):
        verdict, reason = verdict_of(broken)
        if verdict is not Verdict.PASS:
            break
    assert verdict in (Verdict.FAIL, Verdict.WARN), reason
    assert any(part in reason for part in broken.says.split("|")), reason
