"""An application that listens, to which the server connects."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from drachtio_conformance.peers.channel import NothingCame
from drachtio_conformance.peers.door import AcceptedPeer
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, Name


class Listen(Step, frozen=True, kw_only=True, tag="listen"):
    """Listen for connections of the server on loopback; ``${NAME.port}`` is the port."""

    shorthand: ClassVar[str] = "name"
    name: Name = field(default="door", name="as")
    handler: bool = False
    """where the server's request handler is (``server: {request-handler: tcp}``)"""
    tls: bool = False
    """speaks TLS, with the suite's own certificate"""

    def words(self) -> str:
        return f"{self.name} listens for the server{' by TLS' if self.tls else ''}"

    async def carry_out(self, stage: Stage) -> Finding:
        await stage.open_door(self.name, handler=self.handler, secure=self.tls)
        return Finding()


class Accepts(Step, frozen=True, kw_only=True, tag="accepts"):
    """The server connects; the connection is an application of that name from now on."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "app"
    app: Name = "app"
    door: Name = "door"
    within: Duration | None = None

    def words(self) -> str:
        return f"the server connects to {self.door}: {self.app}"

    async def carry_out(self, stage: Stage) -> Finding:
        door = stage.door(self.door)
        expected = f"a connection to {self.door}"
        try:
            peer = await door.incoming.take(stage.patience(self.within))
        except NothingCame as error:
            raise CheckFailed(expected, str(error)) from None
        stage.asserts([Mutation(kind=MutationKind.DROP)])
        stage.judged(door.incoming, peer, peer, rewrite=_as_it_is, judge=lambda peer: peer)
        stage.take_application(self.app, peer)
        return Finding(expected=expected, actual="a connection")


def _as_it_is(peer: AcceptedPeer, mutation: Mutation) -> AcceptedPeer:
    """There is nothing in a connection that could be another."""
    return peer
