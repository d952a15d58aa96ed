"""The callback that a server with request handlers asks: it listens, looks at the question, answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import field

from drachtio_conformance.peers.callback_peer import Asked, HttpConnection
from drachtio_conformance.peers.channel import NothingCame
from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.comparison import SipExpectation, check_sip, sip_mutants
from drachtio_conformance.steps.message_check import MessageCheck, report
from drachtio_conformance.steps.mutation import FOREIGN_SIP, Mutation, MutationKind, rewrite_sip
from drachtio_conformance.steps.octets import filled
from drachtio_conformance.steps.patterns import describe
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage, StepError
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import HeaderFields, Name
from msgtrace import sip

_REASONS = {200: "OK", 302: "Found", 404: "Not Found", 500: "Internal Server Error"}


class Callback(Step, frozen=True, kw_only=True, tag="callback"):
    """Listen for HTTP where the server's request handler is (``server: {request-handler: GET}``)."""

    shorthand: ClassVar[str] = "name"
    name: Name = field(default="hook", name="as")

    def words(self) -> str:
        return f"{self.name} listens for HTTP"

    async def carry_out(self, stage: Stage) -> Finding:
        await stage.open_callback(self.name)
        return Finding()


class HttpExpect(MessageCheck, frozen=True, kw_only=True, tag="http_expect"):
    """The next HTTP request at a callback must match everything that is given.

    ``start`` is its request line; header fields and body are compared as those of a SIP message are.
    """

    shorthand: ClassVar[str] = "start"
    hook: Name = "hook"

    def words(self) -> str:
        return f"{self.hook} is asked {self.start or 'something'}"

    async def carry_out(self, stage: Stage) -> Finding:
        callback = stage.callback(self.hook)
        expected = "a question over HTTP" if self.start is None else describe(self.start, stage.variables)
        try:
            asked = await callback.incoming.take(stage.patience(self.within))
        except NothingCame as error:
            raise CheckFailed(expected, str(error)) from None
        expectation = self.expectation()
        stage.asserts(_mutants(self, expectation, asked, variables=stage.variables))
        foreign = Asked(FOREIGN_SIP, HttpConnection(callback))

        def judge(asked: Asked) -> tuple[Asked, Variables]:
            trial = Variables(stage.variables.values)
            report(check_sip(expectation, sip.parse(asked.raw), trial), asked.raw)
            return asked, trial

        seen, trial = stage.judged(callback.incoming, asked, foreign, rewrite=_rewritten, judge=judge)
        stage.variables.values.update(trial.values)
        callback.learn(seen)
        return Finding(expected=expected, actual=seen.raw)


def _mutants(
    step: HttpExpect, expectation: SipExpectation, asked: Asked, *, variables: Variables
) -> Iterator[Mutation]:
    yield from step.mutate
    yield Mutation(kind=MutationKind.DROP)
    yield from sip_mutants(expectation, sip.parse(asked.raw), variables)


def _rewritten(asked: Asked, mutation: Mutation) -> Asked:
    return Asked(rewrite_sip(asked.raw, mutation), asked.connection)


class HttpAnswer(Step, frozen=True, kw_only=True, tag="http_answer"):
    """A callback answers what it was asked last."""

    shorthand: ClassVar[str] = "body"
    body: str = ""
    """line feeds stay as they are"""
    status: int = 200
    headers: HeaderFields = field(default_factory=dict)
    octets: str | None = None
    """all that is sent, instead of a response made of the others"""
    close: bool = False
    """end the connection behind it; with ``octets: ""`` without any answer"""
    hook: Name = "hook"

    def words(self) -> str:
        if self.octets is not None:
            return f"{self.hook} answers {self.octets!r}{' and closes' if self.close else ''}"
        return f"{self.hook} answers {self.status} {self.body}"

    async def carry_out(self, stage: Stage) -> Finding:
        fill = stage.variables.fill
        if self.octets is not None:
            data = fill(self.octets)
        else:
            body = fill(self.body)
            lines = "".join(f"{name}: {value}\r\n" for name, value in filled(stage.variables, self.headers))
            start = f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Whatever')}"
            data = f"{start}\r\n{lines}Content-Length: {len(body)}\r\n\r\n{body}"
        if not stage.callback(self.hook).answer(data, close=self.close):
            raise StepError(f"{self.hook} has not been asked anything yet")
        return Finding()
