"""What a message of a recording tells of SIP: who sent which request or response, in the words of RFC 3261.

Recordings tell of the same message in different ways: as it crossed the wire, as a frame that brings it to an
application, as an application's order, or as the server's echo of what it sent. Here they become one kind of value, so
that nothing behind it depends on the form of the recording.
"""

from __future__ import annotations

import re

from msgspec import Struct

from msgtrace import sip as sip_view
from msgtrace.answers import Shown, seconds
from msgtrace.entries import EntryKind
from msgtrace.messages import Message, MessageKind
from msgtrace.sip import SipMessage, tag

SERVER = "the server's side"
"""source of what the server sends, for an application or on its own"""
NETWORK = "the network"
"""source of what the server receives, where the recording has no address"""
APPLICATION = "the application"
"""source of an order: what the server makes of it is told by its echo"""

_OWN_BYE = re.compile(
    r'text="(?:ACK timeout|Session timer expired|Call does not exist|Application disconnected|ACK-BYE due to )'
)
"""Reasons that a server gives of requests which it sends on its own"""


class Observation(Struct, frozen=True, gc=False):
    """One SIP message that was seen, or that an application ordered."""

    number: int
    """of the message of the recording"""
    clock: str
    """time as the recording has it"""
    at: float | None
    """seconds of the day"""
    sip: SipMessage
    source: str
    """an address where it is not known which is the server's, else one of the constants above"""
    sender: str
    """address of the sender where the recording has it, without transport"""
    receiver: str
    """and of the receiver"""
    on_wire: bool
    """seen as SIP, not told by a frame"""
    transaction: str = ""
    """the protocol's id of the transaction, of frames"""
    made_by_server: bool = False
    """never on any wire: the server made it up (OUT-6), or sent it on its own (DLG-…)"""
    by_application: bool = False
    """a frame says that an application asked for it"""
    repeated: bool = False
    """told of in a call detail record, after other frames or none"""
    unsent: bool = False
    """the server tells that it could not send it (OUT-6)"""


def observe(item: Shown) -> Observation | None:
    """What a message tells of SIP; None if it tells nothing."""
    message = item.message
    if message is None:
        return _seen(item) if item.entry.kind is EntryKind.SIP else None
    text = message.sip
    if text is None or not text.start_line:
        return None
    clock = item.entry.time or message.get("time")
    address = _address(message)
    # No address and no length: nothing was on any wire.
    unsent = message.get("length") == "0" and not message.get("address")
    source, by_application, by_server = NETWORK, False, False
    match message.kind:
        case MessageKind.NETWORK_REQUEST:
            pass
        case MessageKind.NETWORK_RESPONSE:
            by_server = unsent
        case MessageKind.OK if message.get("source") == "application":
            source, by_application, address = SERVER, True, ""
        case MessageKind.OK if message.get("source") == "network":
            pass  # a response to a proxied request
        case MessageKind.UNSOLICITED:
            source, by_server, address = SERVER, True, ""
        case (
            MessageKind.SEND_RESPONSE
            | MessageKind.SEND_REQUEST
            | MessageKind.SEND_IN_DIALOG
            | MessageKind.SEND_CANCEL
        ):
            source, by_application, address = APPLICATION, True, ""
        case MessageKind.CDR:  # repeats what crossed the wire, and is all that frames tell of a proxied call
            source, address = (SERVER if message.get("source") == "application" else NETWORK), ""
        case _:
            return None  # a proxy's order holds a request without meaning
    return Observation(
        item.number,
        clock,
        seconds(clock),
        text,
        source,
        address,
        "",
        False,
        message.get("transaction-id"),
        by_server,
        by_application,
        message.kind is MessageKind.CDR,
        unsent and text.is_request,
    )


def _seen(item: Shown) -> Observation:
    entry = item.entry
    sender = entry.source.partition("/")[2]
    receiver = entry.target.partition("/")[2]
    unknown = entry.from_server is None
    source = (sender or NETWORK) if unknown else (SERVER if entry.from_server else NETWORK)
    text = sip_view.parse(entry.data)
    own = source == SERVER and text.is_request and _OWN_BYE.search(text.first("Reason")) is not None
    return Observation(
        item.number, entry.time, seconds(entry.time), text, source, sender, receiver, True, made_by_server=own
    )


def _address(message: Message) -> str:
    address = message.get("address")
    return f"{address}:{message.get('port')}" if address else ""


def tags(text: SipMessage) -> tuple[str, str]:
    """Tags of From and To; empty where there is none."""
    return tag(text.first("From")), tag(text.first("To"))
