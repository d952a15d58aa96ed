"""What is done to the frames that go to the application under test, and to its connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from msgspec import field

from drachtio_conformance.peers.admin_peer import ConnectFailed
from drachtio_conformance.peers.channel import NothingCame
from drachtio_conformance.peers.link import Filter, Leg
from drachtio_conformance.peers.variables import Variables, new_id
from drachtio_conformance.steps.comparison import check_tokens
from drachtio_conformance.steps.octets import exact_octets, whole_message
from drachtio_conformance.steps.patterns import cut_tokens, matches
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage, StepError
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, Name, Tokens
from msgtrace import messages, sip


def _leg(stage: Stage) -> Leg:
    leg = stage.client.link.leg
    if leg is None:
        raise StepError("the application has not connected")
    return leg


class _Chosen(Step, frozen=True, kw_only=True):
    """Picks frames of the server out."""

    tokens: Tokens = "**"
    """patterns of all tokens"""
    start: str | None = None
    """and of the start line of the SIP message"""
    times: int | None = None
    """how many frames, at most"""

    def chosen(self, stage: Stage) -> Callable[[str], bool]:
        """Whether a payload is one of them; values of variables are those of now."""
        patterns, known = cut_tokens(self.tokens), Variables(stage.variables.values)

        def wanted(payload: str) -> bool:
            trial = Variables(known.values)
            tokens, content = messages.split(payload)
            if check_tokens(patterns, tokens, trial):
                return False
            return self.start is None or matches(self.start, sip.parse(content).start_line, trial)

        return wanted


class LinkHold(_Chosen, frozen=True, kw_only=True, tag="link_hold"):
    """Hold back frames of the server, from now on; the first filter that picks a frame out has it."""

    shorthand: ClassVar[str] = "tokens"
    name: Name = field(default="held", name="as")

    def words(self) -> str:
        return f"frames of the server are held back: {'|'.join(cut_tokens(self.tokens))} {self.start or ''}".rstrip()

    async def carry_out(self, stage: Stage) -> Finding:
        link = stage.client.link
        link.holds[self.name] = held = Filter(self.chosen(stage), None, self.times)
        link.filters.append(held)
        return Finding()


class LinkHolds(Step, frozen=True, kw_only=True, tag="link_holds"):
    """Wait until that many frames are held back."""

    shorthand: ClassVar[str] = "count"
    count: int = 1
    name: Name = field(default="held", name="of")
    within: Duration | None = None

    def words(self) -> str:
        return f"{self.count} frames are held back"

    async def carry_out(self, stage: Stage) -> Finding:
        held = _held(stage, self.name).held
        try:
            await stage.bell.until(
                lambda: True if len(held) >= self.count else None, stage.patience(self.within)
            )
        except NothingCame as error:
            raise StepError(f"{len(held)} frames are held back, not {self.count}: {error}") from None
        return Finding()


class LinkRelease(Step, frozen=True, kw_only=True, tag="link_release"):
    """Send what was held back, and hold no more."""

    shorthand: ClassVar[str] = "name"
    name: Name = field(default="held", name="of")
    order: Literal["as-it-came", "reversed"] = "as-it-came"
    each: int = 1
    """how often each frame is sent"""

    def words(self) -> str:
        how = " in reverse order" if self.order == "reversed" else ""
        return f"what was held back goes to the application{how}{f', {self.each} times' if self.each > 1 else ''}"

    async def carry_out(self, stage: Stage) -> Finding:
        link, held = stage.client.link, _held(stage, self.name)
        link.filters.remove(held)
        frames = list(held.held)
        for payload in reversed(frames) if self.order == "reversed" else frames:
            for _ in range(self.each):
                link.deliver(payload)
        return Finding()


def _held(stage: Stage, name: str) -> Filter:
    if name not in stage.client.link.holds:
        raise StepError(f"nothing is held back as {name!r}")
    return stage.client.link.holds[name]


class LinkAlter(_Chosen, frozen=True, kw_only=True, tag="link_alter"):
    """Alter frames of the server, from now on."""

    shorthand: ClassVar[str] = "tokens"
    add: str | None = None
    """tokens that are appended"""
    put: dict[int, str] = field(default_factory=dict)
    """token number to what stands there instead"""
    keep: int | None = None
    """how many tokens stay; the others are left out"""
    twice: bool = False
    before: str | None = None
    """a frame that is sent ahead: tokens behind an id of its own"""

    def words(self) -> str:
        return f"frames of the server are altered: {'|'.join(cut_tokens(self.tokens))} {self.start or ''}".rstrip()

    async def carry_out(self, stage: Stage) -> Finding:
        fill = stage.variables.fill

        def alter(payload: str) -> list[str]:
            tokens, content = messages.split(payload)
            tokens = tokens[: self.keep]
            for index, value in self.put.items():
                tokens[index : index + 1] = [fill(value)]
            if self.add is not None:
                tokens += cut_tokens(fill(self.add))
            line = "|".join(tokens)
            altered = f"{line}\r\n{content}" if "\r\n" in payload else line
            ahead = [] if self.before is None else [f"{new_id()}|{fill(self.before)}"]
            return [*ahead, altered, altered] if self.twice else [*ahead, altered]

        stage.client.link.filters.append(Filter(self.chosen(stage), alter, self.times))
        return Finding()


class LinkSends(Step, frozen=True, kw_only=True, tag="link_sends"):
    """Send the application a frame that the server has not sent, or octets that are no frame."""

    shorthand: ClassVar[str] = "tokens"
    tokens: Tokens | None = None
    """the tokens behind an id"""
    sip: str | None = None
    """start line, headers, blank line, body; each line feed becomes CRLF"""
    text: str | None = None
    """octets as they are, instead"""
    hex: str | None = None

    def words(self) -> str:
        what = "octets" if self.tokens is None else "|".join(cut_tokens(self.tokens))
        return f"the application is sent {what}" + (f": {self.sip.splitlines()[0]}" if self.sip else "")

    async def carry_out(self, stage: Stage) -> Finding:
        link, fill = stage.client.link, stage.variables.fill
        if self.tokens is None:
            link.deliver_octets(exact_octets(stage.variables, self.text, self.hex))
            return Finding()
        payload = "|".join([new_id(), *(fill(token) for token in cut_tokens(self.tokens))])
        if self.sip is not None:
            payload += "\r\n" + whole_message(fill(self.sip))
        link.deliver(payload)
        return Finding()


class LinkCuts(Step, frozen=True, kw_only=True, tag="link_cuts"):
    """From now on each frame goes to the application in pieces of so many octets; 0 ends that."""

    shorthand: ClassVar[str] = "octets"
    octets: int

    def words(self) -> str:
        return f"frames go in pieces of {self.octets} octets" if self.octets else "frames go whole again"

    async def carry_out(self, stage: Stage) -> Finding:
        stage.client.link.cut = self.octets or None
        return Finding()


class LinkGlues(Step, frozen=True, kw_only=True, tag="link_glues"):
    """Keep what goes to the application, until ``link_glues: false`` sends it in one piece."""

    shorthand: ClassVar[str] = "on"
    on: bool = True

    def words(self) -> str:
        return "frames are kept" if self.on else "what was kept goes in one piece"

    async def carry_out(self, stage: Stage) -> Finding:
        if self.on:
            stage.client.link.glue()
        else:
            stage.client.link.unglue()
        return Finding()


class LinkCloses(Step, frozen=True, kw_only=True, tag="link_closes"):
    """End the application's connection, as if the server had."""

    shorthand: ClassVar[str] = "how"
    how: Literal["fin", "reset"] = "fin"

    def words(self) -> str:
        return "the application's connection is " + ("reset" if self.how == "reset" else "closed")

    async def carry_out(self, stage: Stage) -> Finding:
        leg = _leg(stage)
        leg.close(how=self.how)
        await leg.upstream_ended()  # so that the server hears of it before anything that follows
        return Finding()


class LinkConnects(Step, frozen=True, kw_only=True, tag="link_connects"):
    """The server connects to an application that listens, once more."""

    def words(self) -> str:
        return "the server connects once more"

    async def carry_out(self, stage: Stage) -> Finding:
        try:
            await stage.client.link.connect_again()
        except ConnectFailed as error:
            raise CheckFailed("a connection", str(error)) from None
        return Finding()


class LinkRefuses(Step, frozen=True, kw_only=True, tag="link_refuses"):
    """Break the application's next connections as soon as they are made."""

    shorthand: ClassVar[str] = "times"
    times: int = 1

    def words(self) -> str:
        return f"the next {self.times} connections are refused"

    async def carry_out(self, stage: Stage) -> Finding:
        stage.client.link.refuse(self.times)
        return Finding()


class LinkReads(Step, frozen=True, kw_only=True, tag="link_reads"):
    """Read nothing of what the application sends, until ``link_reads: true``."""

    shorthand: ClassVar[str] = "on"
    on: bool = True

    def words(self) -> str:
        return (
            "what the application sends is read again"
            if self.on
            else "what the application sends is not read"
        )

    async def carry_out(self, stage: Stage) -> Finding:
        _leg(stage).pause(not self.on)
        return Finding()
