"""Control messages of an application that is served as it should be: authenticate, route, ping."""

from __future__ import annotations

from typing import ClassVar

from drachtio_conformance.peers.admin_peer import AdminPeer
from drachtio_conformance.peers.variables import new_id
from drachtio_conformance.steps.answers import answered, tell
from drachtio_conformance.steps.stage import Finding, Stage
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Name


class Authenticate(Step, frozen=True, kw_only=True, tag="authenticate"):
    """Authenticate an application (connecting it first if need be), expecting OK; learn its version."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "app"
    app: Name = "app"
    secret: str = "${admin.secret}"
    tags: str = ""
    """comma separated; without tags the message still ends in ``|``, as drachtio-srf sends it"""

    def words(self) -> str:
        return f"{self.app} authenticates" + (f" with tags {self.tags}" if self.tags else "")

    async def carry_out(self, stage: Stage) -> Finding:
        known = stage.applications.get(self.app)
        peer = await stage.connect(self.app) if known is None or known.closed else known
        fill = stage.variables.fill
        tokens = await _asked(
            stage, peer, f"authenticate|{fill(self.secret)}|{fill(self.tags)}", answer="OK|**"
        )
        stage.variables["server.hostports"] = "".join(tokens[4:5])
        if len(tokens) > 5:
            stage.variables["server.version"] = tokens[5]
        return Finding(expected="OK", actual="|".join(tokens[3:]))


class Route(Step, frozen=True, kw_only=True, tag="route"):
    """``route|VERB`` for each verb, expecting OK."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "verb"
    verb: str | list[str]
    app: Name = "app"

    def words(self) -> str:
        return f"{self.app} asks for {_listed(self.verb)}"

    async def carry_out(self, stage: Stage) -> Finding:
        return await _route(stage, "route", self.verb, app=self.app)


class RemoveRoute(Step, frozen=True, kw_only=True, tag="remove_route"):
    """``remove_route|VERB`` for each verb, expecting OK."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "verb"
    verb: str | list[str]
    app: Name = "app"

    def words(self) -> str:
        return f"{self.app} no longer wants {_listed(self.verb)}"

    async def carry_out(self, stage: Stage) -> Finding:
        return await _route(stage, "remove_route", self.verb, app=self.app)


class Ping(Step, frozen=True, kw_only=True, tag="ping"):
    """``ping``, expecting ``OK|pong``."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "app"
    app: Name = "app"

    def words(self) -> str:
        return f"{self.app} pings and is ponged"

    async def carry_out(self, stage: Stage) -> Finding:
        tokens = await _asked(stage, stage.application(self.app), "ping", answer="OK|pong")
        return Finding(expected="OK|pong", actual="|".join(tokens[3:]))


async def _route(stage: Stage, word: str, verb: str | list[str], *, app: str) -> Finding:
    """Ask for each verb, or no longer."""
    for each in [verb] if isinstance(verb, str) else verb:
        await _asked(stage, stage.application(app), f"{word}|{stage.variables.fill(each)}", answer="OK")
    return Finding(expected="OK", actual="OK")


async def _asked(stage: Stage, peer: AdminPeer, request: str, *, answer: str) -> list[str]:
    """Send a control message and compare its answer; other frames stay queued."""
    message_id = new_id()
    await tell(stage, peer, message_id, rest=request)
    return await answered(stage, peer, message_id, answer=answer)


def _listed(verb: str | list[str]) -> str:
    return verb if isinstance(verb, str) else ", ".join(verb)
