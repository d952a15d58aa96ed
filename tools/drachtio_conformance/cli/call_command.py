"""``call URI``: a telephone places one call and plays a script, or sends one request, and the ladder is drawn."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.peers.admin_peer import ConnectFailed
from drachtio_conformance.peers.recorder import Recorder, WireEvent
from drachtio_conformance.telephone import lines
from drachtio_conformance.telephone.acts import Act, HangUp, Phase, Side, checked, leads_to
from drachtio_conformance.telephone.lines import CallError
from drachtio_conformance.telephone.telephone import Done, Played, Telephone
from drachtio_conformance.telephone.user_agent import GIVES_UP

_NOT_ALONE = {
    "CANCEL": "it ends an INVITE that has no final response yet: --cancel-after",
    "ACK": "it follows the final response to an INVITE, and call sends it by itself",
    "PRACK": "it follows a reliable provisional response to an INVITE, and call sends it by itself",
}
"""methods that make no sense outside a call, and why"""
_LASTS = 0.5
"""seconds between the last act and BYE"""
_GOODBYE = 1.0
"""seconds that the far end may take to hear of the end"""


class Call(Struct, frozen=True, kw_only=True):
    """What to send and how."""

    uri: str
    method: str = "INVITE"
    transport: str = ""
    """``udp``, ``tcp``, ``tls``, ``ws`` or ``wss``; empty: the URI's transport parameter, else udp, or tls for sips"""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    """octets; None: an SDP offer in an INVITE, nothing else"""
    script: tuple[Act, ...] = ()
    """what is done in the call; what leaves it up is followed by BYE, half a second later"""
    patience: float = GIVES_UP
    """seconds that a final response is waited for"""


class Outcome(Struct, frozen=True):
    """What came of it."""

    events: list[WireEvent]
    exit_code: ExitCode
    """OK: answered 2xx, and all was done; FAILURES: another final response, or not all; NO_PEER: none"""
    sentence: str
    did: list[Done] = []
    """what became of each act"""


async def place(call: Call, progress: Callable[[WireEvent], None] | None = None) -> Outcome:
    """Place the call; ``progress`` is told each event as it happens. Raises CallError, ScriptError."""
    if call.method in _NOT_ALONE:
        raise CallError(f"{call.method} is no request of its own: {_NOT_ALONE[call.method]}")
    if call.script and call.method != "INVITE":
        raise CallError(f"{call.script[0].name()} is about a call, and {call.method} makes none")
    script = checked(call.script, Side.CALLER)
    if leads_to(script) is not Phase.OVER:
        script += (HangUp(_LASTS),)
    recorder = _Recorder(progress)
    try:
        peer = await lines.dialled(
            lines.destination(call.uri, call.transport), recorder, patience=call.patience
        )
    except ConnectFailed as error:
        return Outcome(recorder.events, ExitCode.NO_PEER, str(error))
    telephone = Telephone(peer, patience=call.patience)
    try:
        if call.method == "INVITE":
            played = await telephone.call(call.uri, script, headers=call.headers, body=call.body)
        else:
            played = await telephone.ask(call.method, call.uri, headers=call.headers, body=call.body)
        return Outcome(recorder.events, _exit_code(played, telephone), played.sentence, played.did)
    finally:
        peer.close()
        await peer.endpoint.gone(_GOODBYE)


def _exit_code(played: Played, telephone: Telephone) -> ExitCode:
    if played.good:
        return ExitCode.OK
    return ExitCode.FAILURES if telephone.reached else ExitCode.NO_PEER


class _Recorder(Recorder):
    """Tells each event at once."""

    def __init__(self, progress: Callable[[WireEvent], None] | None) -> None:
        super().__init__()
        self._progress = progress

    def sip(self, peer: str, raw: str, *, from_server: bool) -> None:
        super().sip(peer, raw, from_server=from_server)
        if self._progress is not None:
            self._progress(self.events[-1])
