"""What the server sends: one type per message, and the one place that formats them.

Each type has ``format(message_id)``, which gives the payload of a frame; the id is a fresh UUID. The order of tokens
is protocol, down to the empty ones (docs/protocol.md, families AUTH, SIP and RSP). An ``address`` is two tokens, host
and port, which :func:`address_tokens` puts together.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from reference_server.wire.decimal import decimal


def address_tokens(host: str, port: int) -> str:
    """An address as it stands in a message: ``127.0.0.1|5060``."""
    return f"{host}|{port}"


NO_ADDRESS: Final = "|0"
"""Of what has come from nowhere and gone to nobody."""


class Authenticated(Struct, frozen=True, gc=False):
    """The answer to a right secret (AUTH-2); in the 0.8 dialect only the hostports follow ``OK`` (VER-2)."""

    request_id: str
    hostports: str
    version: str
    local_hostports: str
    short: bool = False

    def format(self, message_id: str) -> str:
        """``uuid|response|id|OK|hostports[|version|localHostports]``"""
        text = f"{message_id}|response|{self.request_id}|OK|{self.hostports}"
        return text if self.short else f"{text}|{self.version}|{self.local_hostports}"


class Accepted(Struct, frozen=True, gc=False):
    """``OK`` to a control message (ROUTE-1, PING-1)."""

    request_id: str
    text: str = ""

    def format(self, message_id: str) -> str:
        """``uuid|response|id|OK[|text]``"""
        text = f"{message_id}|response|{self.request_id}|OK"
        return f"{text}|{self.text}" if self.text else text


class Refused(Struct, frozen=True, gc=False):
    """``NO``: the connection ends behind this message (CONN-1)."""

    request_id: str
    text: str

    def format(self, message_id: str) -> str:
        """``uuid|response|id|NO|text``"""
        return f"{message_id}|response|{self.request_id}|NO|{self.text}"


class NotSent(Struct, frozen=True, gc=False):
    """``NOK``: the SIP message could not be sent; the connection goes on (FRAME-20, RSP-12)."""

    request_id: str
    text: str

    def format(self, message_id: str) -> str:
        """``uuid|response|id|NOK|text``"""
        return f"{message_id}|response|{self.request_id}|NOK|{self.text}"


class ResponseSent(Struct, frozen=True, gc=False):
    """The echo of a response that was sent for the application (RSP-2)."""

    request_id: str
    protocol: str
    """empty for final responses to other methods than INVITE"""
    address: str
    """of the peer"""
    time: str
    transaction_id: str
    dialog_id: str
    sip: str
    """the message as it went out"""

    def format(self, message_id: str) -> str:
        """``uuid|response|id|OK|application|len|proto|addr|port|time|txn|dialog||Msg sent:|``"""
        sip = self.sip
        return (
            f"{message_id}|response|{self.request_id}|OK|application|{decimal(len(sip))}|{self.protocol}|"
            f"{self.address}|{self.time}|{self.transaction_id}|{self.dialog_id}||Msg sent:|\r\n{sip}"
        )


class RequestSent(Struct, frozen=True, gc=False):
    """The echo of a request that was sent for the application (DLG-5)."""

    request_id: str
    protocol: str
    address: str
    """our own over UDP, the peer's over TCP"""
    time: str
    transaction_id: str
    sip: str
    held: bool = False
    """it has not gone yet, or has nowhere to go; the length is 0 then"""

    def format(self, message_id: str) -> str:
        """``uuid|response|id|OK|application|len|proto|addr|port|time|txn|Msg sent:|``"""
        sip = self.sip
        length = 0 if self.held else len(sip)
        return (
            f"{message_id}|response|{self.request_id}|OK|application|{length}|{self.protocol}|{self.address}|"
            f"{self.time}|{self.transaction_id}|Msg sent:|\r\n{sip}"
        )


class FinalResponseReceived(Struct, frozen=True, gc=False):
    """One final response to a request that the application proxied with ``fullResponse`` (PROXY-8)."""

    request_id: str
    protocol: str
    address: str
    """where it came from"""
    time: str
    sip: str
    """as received, with our Via"""

    def format(self, message_id: str) -> str:
        """``uuid|response|id|OK|network|len|proto|addr|port|time|||continue``"""
        sip = self.sip
        return (
            f"{message_id}|response|{self.request_id}|OK|network|{len(sip)}|{self.protocol}|{self.address}|"
            f"{self.time}|||continue\r\n{sip}"
        )


class NewRequest(Struct, frozen=True, gc=False):
    """A request outside a dialog (SIP-1)."""

    length: int
    """octets as received"""
    protocol: str
    address: str
    """of the peer"""
    time: str
    transaction_id: str
    local_address: str
    """empty in the 0.8 dialect, which has no local address tokens (VER-3)"""
    sip: str

    def format(self, message_id: str) -> str:
        """``uuid|sip|network|len|proto|addr|port|time|txn||localAddr|localPort|``, in the 0.8 dialect ``…|txn|``"""
        local = f"||{self.local_address}|" if self.local_address else "|"
        return (
            f"{message_id}|sip|network|{decimal(self.length)}|{self.protocol}|{self.address}|{self.time}|"
            f"{self.transaction_id}{local}\r\n{self.sip}"
        )


class DialogMessage(Struct, frozen=True, gc=False):
    """A request inside a dialog, a CANCEL, or the response to an application's request (SIP-4, DLG-1)."""

    source: str
    """``network``, or ``application`` for what the server itself sent (CALL-9)"""
    length: int
    protocol: str
    address: str
    time: str
    transaction_id: str
    dialog_id: str
    sip: str

    def format(self, message_id: str) -> str:
        """``uuid|sip|source|len|proto|addr|port|time|txn|dialog|``"""
        return (
            f"{message_id}|sip|{self.source}|{decimal(self.length)}|{self.protocol}|{self.address}|"
            f"{self.time}|{self.transaction_id}|{self.dialog_id}|\r\n{self.sip}"
        )


class CallDetailRecord(Struct, frozen=True, gc=False):
    """A call detail record (CDR-1 to CDR-3)."""

    kind: str
    """``cdr:attempt``, ``cdr:start`` or ``cdr:stop``"""
    source: str
    """``network`` or ``application``: where the message came from"""
    time: str
    detail: str
    """the role of a start, the reason of a stop, empty for an attempt, which has no such token"""
    sip: str

    def format(self, message_id: str) -> str:
        """``uuid|cdr:…|source|time[|detail]``, without a ``|`` at the end"""
        text = f"{message_id}|{self.kind}|{self.source}|{self.time}"
        return f"{text}|{self.detail}\r\n{self.sip}" if self.detail else f"{text}\r\n{self.sip}"


ServerMessage = (
    Authenticated
    | Accepted
    | Refused
    | NotSent
    | ResponseSent
    | RequestSent
    | FinalResponseReceived
    | NewRequest
    | DialogMessage
    | CallDetailRecord
)
