"""The application under test: started, made ready, told what to do, heard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import ClassVar, Literal

import msgspec
from msgspec import field

from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.link import Leg
from drachtio_conformance.peers.sip_compose import Changes
from drachtio_conformance.peers.tls import NoCertificate, own_certificate
from drachtio_conformance.peers.variables import Variables, new_id, octets
from drachtio_conformance.steps.application_frames import next_frame
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.patterns import counterexample, describe, matches
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.stage import CheckFailed, Finding, NotOffered, Stage, StepError
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, Name
from drachtio_conformance.targets.client import Authority
from drachtio_conformance.targets.target import StartFailed

Said = Mapping[str, object] | Closed
STARTING = "15s"
"""how long an application may take to come up"""


class AppStart(Step, frozen=True, kw_only=True, tag="app_start"):
    """Start the application under test, in a mode of docs/conformance-app.md."""

    shorthand: ClassVar[str] = "mode"
    mode: Literal["inbound", "outbound", "tls"] = "inbound"
    environment: dict[str, str] = field(default_factory=dict)
    """variables that replace the ones it would be given"""

    def words(self) -> str:
        return "the application is started" + (f" ({self.mode})" if self.mode != "inbound" else "")

    async def carry_out(self, stage: Stage) -> Finding:
        authority = _authority() if self.mode == "tls" else None
        environment = {name: stage.variables.fill(value) for name, value in self.environment.items()}
        try:
            await stage.client.start(self.mode, environment, authority)
        except StartFailed as error:
            raise StepError(str(error)) from None
        if self.mode == "outbound":
            said = await _heard(stage, {"event": "listening", "port": "~[0-9]+"}, STARTING)
            await stage.client.link.connect(int(str(said["port"])))
        return Finding()


def _authority() -> Authority:
    """The suite's own certificate. Raises NotOffered where none can be made."""
    try:
        own = own_certificate()
    except NoCertificate as error:
        raise NotOffered(str(error)) from None
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    return Authority(context, str(own.certificate))


class AppConnects(Step, frozen=True, kw_only=True, tag="app_connects"):
    """The application connects."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "within"
    within: Duration = STARTING

    def words(self) -> str:
        return "the application connects"

    async def carry_out(self, stage: Stage) -> Finding:
        arrivals, expected = stage.client.link.arrivals, "a connection of the application"
        process = stage.client.process

        def come() -> Leg | None:
            leg = arrivals.find(lambda _: True)
            if leg is None and process.ended is not None:
                raise CheckFailed(expected, octets(f"its end with status {process.ended}{_why_not(stage)}"))
            return leg

        try:
            leg = await stage.bell.until(come, stage.patience(self.within))
        except NothingCame as error:
            raise CheckFailed(expected, octets(f"{error}{_why_not(stage)}")) from None
        stage.asserts([Mutation(kind=MutationKind.DROP)])
        stage.judged(arrivals, leg, leg, rewrite=lambda leg, mutation: leg, judge=lambda leg: leg)
        return Finding(expected=expected, actual="a connection")


class AppStaysAway(Step, frozen=True, kw_only=True, tag="app_stays_away"):
    """The application does not connect again for a while."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "quiet"
    quiet: Duration = "500ms"

    def words(self) -> str:
        return "the application does not connect again"

    async def carry_out(self, stage: Stage) -> Finding:
        arrivals = stage.client.link.arrivals
        stage.asserts([Mutation(kind=MutationKind.INJECT)])
        if stage.take_mutation() is not None and (leg := stage.client.link.leg) is not None:
            arrivals.put_back(leg)
        try:
            await arrivals.take(stage.patience(self.quiet))
        except NothingCame as silence:
            return Finding(expected="no connection", actual=str(silence))
        raise CheckFailed("no connection", "a connection")


class AppReady(Step, frozen=True, kw_only=True, tag="app_ready"):
    """The application connects, authenticates, and routes what it has to; the server has accepted all of it."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "routes"
    routes: list[str] = field(default_factory=lambda: ["invite", "message", "options", "subscribe"])
    within: Duration = STARTING

    def words(self) -> str:
        return "the application is ready"

    async def carry_out(self, stage: Stage) -> Finding:
        await AppConnects(within=self.within).carry_out(stage)
        secret = stage.variables["admin.secret"]
        frames = [await next_frame(stage, ["{any}", "authenticate", f"={secret}", "**"])]
        for verb in self.routes:
            frames.append(await next_frame(stage, ["{any}", "route", verb]))
        wanted = {frame.payload.partition("|")[0] for frame in frames}
        link = stage.client.link

        def accepted() -> bool | None:
            return True if wanted <= link.answered.keys() and not link.is_asking else None

        try:
            await stage.bell.until(accepted, stage.patience(None))
        except NothingCame:
            raise StepError("the server has not answered authenticate and route") from None
        return Finding(expected="authenticate and the routes", actual="authenticate and the routes")


class AppDoes(Step, frozen=True, kw_only=True, tag="app_does"):
    """Tell the application what to begin: JSON in a MESSAGE; ``${do}`` is the id by which it reports on it.

    Where the application answers 501, it does not do such things, and the case says nothing about it.
    """

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "what"
    what: str = field(name="do")
    details: dict[str, str | dict[str, str]] = field(default_factory=dict, name="with")
    peer: Name = "driver"

    def words(self) -> str:
        return f"the application is told to {self.what}"

    async def carry_out(self, stage: Stage) -> Finding:
        if self.peer not in stage.peers:
            await stage.open_peer(self.peer, "udp", "ipv4")
        stage.variables["do"] = job = new_id()[:8]
        body = {"id": job, "do": self.what, **_filled(stage, self.details)}
        peer = stage.peer(self.peer)
        peer.request(
            "MESSAGE",
            uri=f"sip:do@{stage.variables['sip.udp']}",
            changes=Changes((("Content-Type", "application/json"),)),
            body=msgspec.json.encode(body).decode("latin-1"),
        )
        answer = SipExpect(peer=self.peer, start="SIP/2.0 {taken:number} {any}")
        finding = await answer.carry_out(stage)
        if (status := stage.variables.values.pop("taken")) == "501":
            raise NotOffered(f"the application answers 501 to '{self.what}': it does not do that")
        if status != "200":
            raise CheckFailed("200 to the MESSAGE that says what to do", status)
        return finding


def _filled(stage: Stage, details: Mapping[str, str | dict[str, str]]) -> dict[str, object]:
    def fill(text: str) -> str:
        return stage.variables.fill(text).encode("latin-1").decode("utf-8", "replace")

    return {
        name: fill(value) if isinstance(value, str) else {key: fill(each) for key, each in value.items()}
        for name, value in details.items()
    }


class AppReports(Step, frozen=True, kw_only=True, tag="app_reports"):
    """The application says something: a line of JSON on its standard output in which these values stand."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "event"
    event: str
    values: dict[str, str] = field(default_factory=dict, name="with")
    """patterns of what stands under these names"""
    within: Duration | None = None

    def words(self) -> str:
        told = "".join(f", {name} {value}" for name, value in self.values.items())
        return f"the application reports {self.event}{told}"

    async def carry_out(self, stage: Stage) -> Finding:
        wanted = {"event": self.event, **self.values}
        said = await _heard(stage, wanted, self.within)
        return Finding(expected=_told(stage, wanted), actual=octets(msgspec.json.encode(said).decode()))


def _told(stage: Stage, wanted: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {describe(pattern, stage.variables)}" for name, pattern in wanted.items())


async def _heard(stage: Stage, wanted: Mapping[str, str], within: str | None) -> Mapping[str, object]:
    """The first line that fits. Raises CheckFailed."""
    channel = stage.client.process.said

    def fits(item: Said) -> bool:
        return isinstance(item, Closed) or _differs(stage, wanted, item) == ""

    expected = f"a line with {_told(stage, wanted)}"
    try:
        item = await channel.take_first(fits, stage.patience(within))
    except NothingCame as error:
        said = [each for each in channel.waiting() if not isinstance(each, Closed)]
        others = f"; it said {msgspec.json.encode(said[-3:]).decode()}" if said else ""
        raise CheckFailed(expected, octets(f"{error}{others}{_why_not(stage)}")) from None
    stage.asserts(_mutants(stage, wanted, item))
    if isinstance(item, Closed):
        channel.put_back(item)

    def judge(item: Said) -> Mapping[str, object]:
        if isinstance(item, Closed):
            raise CheckFailed(expected, octets(f"nothing: the application has ended{_why_not(stage)}"))
        if name := _differs(stage, wanted, item):
            raise CheckFailed(expected, octets(f"{name}: {item.get(name)}"))
        return item

    return stage.judged(channel, item, {"event": "mutant"}, rewrite=_rewritten, judge=judge)


def _differs(stage: Stage, wanted: Mapping[str, str], item: Mapping[str, object]) -> str:
    """The first name whose value does not match."""
    variables = Variables(stage.variables.values)
    for name, pattern in wanted.items():
        if name not in item or not matches(pattern, octets(str(item[name])), variables):
            return name
    return ""


def _mutants(stage: Stage, wanted: Mapping[str, str], item: Said) -> list[Mutation]:
    found = [Mutation(kind=MutationKind.DROP)]
    if not isinstance(item, Closed):
        for name, pattern in wanted.items():
            other = counterexample(pattern, octets(str(item[name])), stage.variables)
            if other is not None:
                found.append(Mutation(kind=MutationKind.HEADER, name=name, value=other))
    return found


def _rewritten(item: Said, mutation: Mutation) -> Said:
    return item if isinstance(item, Closed) else {**item, mutation.name: mutation.value}


def _why_not(stage: Stage) -> str:
    """What the application's standard error says: the lines that name an error, else its last ones."""
    said = [line.strip() for line in stage.client.process.complaints.splitlines() if line.strip()]
    lines = [line for line in said if re.match(r"[\w.]*(Error|Exception)\b.*:", line)][-2:] or said[-2:]
    return f"; its standard error says: {' / '.join(lines)}" if lines else ""


class AppMay(Step, frozen=True, kw_only=True, tag="app_may"):
    """The judge overlooks these rules: this case brings them about (``application_rules/rules.py`` has their names)."""

    shorthand: ClassVar[str] = "rules"
    rules: list[str]

    def words(self) -> str:
        return f"overlooked: {', '.join(self.rules)}"

    async def carry_out(self, stage: Stage) -> Finding:
        stage.client.overlooked.update(self.rules)
        return Finding()
