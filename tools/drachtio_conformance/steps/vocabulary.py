"""The vocabulary: every step that a conformance case can consist of, typed.

YAML, Gherkin sentences and replayed traces all become these values, and one runner executes them. In YAML
a step is a mapping with one key, the step's name; where one argument is obvious a scalar or a list stands for
it (the class variable ``shorthand`` names that argument). STEPS.md shows the YAML form of each step;
``scenarios/schema.json`` is generated from the types below.

Text in a step is ordinary text; it goes to the wire as UTF-8. ``${name}`` stands for a variable everywhere.
In what is *expected*, a text is a pattern (patterns.py).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta, Struct, field

from drachtio_conformance.steps.mutation import Mutation

Name: TypeAlias = Annotated[
    str, Meta(pattern="^[A-Za-z][A-Za-z0-9_-]*$", description="name of an application, peer or variable")
]
Duration: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?(ms|s)$", description="like 500ms or 32s")
]
Tokens: TypeAlias = str | list[str]
"""The tokens of a meta line: a list, or one text that is cut at each ``|``."""
HeaderFields: TypeAlias = dict[str, str | list[str]]
"""Header name to value, or to one value for each line of that name in order."""
Split: TypeAlias = Literal["every-byte"] | list[int]
"""Where the octets are cut into separate segments: before each given offset, or everywhere."""


class _Step(Struct, frozen=True, kw_only=True, tag_field="step", forbid_unknown_fields=True):
    shorthand: ClassVar[str] = ""


class _MessageCheck(_Step, frozen=True, kw_only=True):
    """What a check may demand of a SIP message, alone or in a frame."""

    start: str | None = None
    """pattern for the start line of the SIP message"""
    headers: HeaderFields = field(default_factory=dict)
    """patterns for header values; a list demands exactly that many lines"""
    absent: list[str] = field(default_factory=list)
    """headers that must not be there"""
    order: list[str] = field(default_factory=list)
    """header names that must come in this order, others may stand between"""
    body: str | None = None
    """pattern for the body; ``""`` demands none"""
    sip: str | None = None
    """the whole SIP message, one pattern for each line, nothing more and nothing less (its body by ``body`` if that is
    given); ``""`` demands that there be none"""
    within: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)


# Admin connections


class Connect(_Step, frozen=True, kw_only=True, tag="connect"):
    """Open a TCP connection to the admin port and name it; nothing is sent."""

    shorthand: ClassVar[str] = "name"
    name: Name = field(default="app", name="as")


class Authenticate(_Step, frozen=True, kw_only=True, tag="authenticate"):
    """Authenticate an application (connecting it first if need be), expecting OK; learn its version."""

    shorthand: ClassVar[str] = "app"
    app: Name = "app"
    secret: str = "${admin.secret}"
    tags: str = ""
    """comma separated; without tags the message still ends in ``|``, as drachtio-srf sends it"""


class Route(_Step, frozen=True, kw_only=True, tag="route"):
    """``route|VERB`` for each verb, expecting OK."""

    shorthand: ClassVar[str] = "verb"
    verb: str | list[str]
    app: Name = "app"


class RemoveRoute(_Step, frozen=True, kw_only=True, tag="remove_route"):
    """``remove_route|VERB`` for each verb, expecting OK."""

    shorthand: ClassVar[str] = "verb"
    verb: str | list[str]
    app: Name = "app"


class Ping(_Step, frozen=True, kw_only=True, tag="ping"):
    """``ping``, expecting ``OK|pong``."""

    shorthand: ClassVar[str] = "app"
    app: Name = "app"


class Send(_Step, frozen=True, kw_only=True, tag="send"):
    """Send one frame: ``id|tokens`` and perhaps a SIP message; the length is computed.

    Afterwards ``${id}`` and ``${APP.id}`` are the message id.
    """

    app: Name = "app"
    tokens: Tokens | None = None
    """the tokens after the message id; without them the payload is the id alone"""
    sip: str | None = None
    """start line, headers, blank line, body; each line feed becomes CRLF"""
    id: str | None = None
    """the message id; a fresh UUID if absent"""
    save: Name | None = None
    """variable that gets the message id"""
    pad: int = 0
    """that many octets ``x`` are appended to the payload"""
    split: Split | None = None
    with_next: bool = False
    """kept back: it leaves in one segment with what this application sends next"""


class SendBytes(_Step, frozen=True, kw_only=True, tag="send_bytes"):
    """Send exactly these octets on an admin connection."""

    shorthand: ClassVar[str] = "text"
    app: Name = "app"
    text: str | None = None
    """sent as it is; line ends are not changed (use a double-quoted YAML text with ``\\r\\n``)"""
    hex: str | None = None
    """octets in hexadecimal, blanks ignored; instead of ``text``"""
    times: int = 1
    """how often the whole is repeated"""
    split: Split | None = None


class Expect(_MessageCheck, frozen=True, kw_only=True, tag="expect"):
    """The next frame on an application's connection must match everything that is given."""

    app: Name = "app"
    tokens: Tokens
    """patterns for all tokens, from 0"""
    unit: Literal["bytes", "code-points", "utf-16"] | None = None
    """what the frame's length counts (matters with non-ASCII text)"""
    unordered: bool = False
    """take the first frame that matches; those before it stay for later steps"""


class ExpectClose(_Step, frozen=True, kw_only=True, tag="expect_close"):
    """The server closes the connection of an application or a TCP SIP peer, and sends nothing before."""

    shorthand: ClassVar[str] = "of"
    of: Name = "app"
    within: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)


class ExpectNothing(_Step, frozen=True, kw_only=True, tag="expect_nothing"):
    """No frame comes to an application: what the barrier provokes is the next thing it gets.

    A barrier is ``APP.ping``, ``APP.sip`` (an answer to an unknown transaction: ordered behind SIP work) or
    a SIP peer's name (a BYE outside any dialog, which the server answers 481); several are passed in order.
    The last one must be of this application, unless ``quiet`` is given.
    """

    shorthand: ClassVar[str] = "app"
    app: Name = "app"
    barrier: list[str] | None = None
    """default: this application's ping"""
    quiet: Duration | None = None
    """only where no barrier exists: watch this long (scaled by ``--slow``)"""
    mutate: list[Mutation] = field(default_factory=list)


class Close(_Step, frozen=True, kw_only=True, tag="close"):
    """Close a connection in an orderly way (FIN)."""

    shorthand: ClassVar[str] = "of"
    of: Name = "app"


class Abort(_Step, frozen=True, kw_only=True, tag="abort"):
    """Break a connection (RST)."""

    shorthand: ClassVar[str] = "of"
    of: Name = "app"


# SIP peers


class SipPeer(_Step, frozen=True, kw_only=True, tag="sip_peer"):
    """Open a SIP endpoint on loopback with a port of its own.

    A tcp peer connects to the server at once and also listens on its port.
    """

    shorthand: ClassVar[str] = "name"
    name: Name = field(default="phone", name="as")
    transport: Literal["udp", "tcp"] = "udp"
    family: Literal["ipv4", "ipv6"] = "ipv4"


class SipRequest(_Step, frozen=True, kw_only=True, tag="sip_request"):
    """Send a well-formed SIP request: Via, Max-Forwards, From, To, Call-ID, CSeq, Contact are filled in.

    Outside a dialog it begins a new one (new Call-ID and From tag). A first INVITE carries an SDP offer
    unless ``body`` says otherwise.
    """

    shorthand: ClassVar[str] = "method"
    method: str
    peer: Name = "phone"
    uri: str | None = None
    """default ``sip:bob@`` and the server's address; in a dialog, its remote target"""
    headers: HeaderFields = field(default_factory=dict)
    """replace the default of that name, or are added in this order"""
    without: list[str] = field(default_factory=list)
    """defaults to leave out"""
    body: str | None = None
    in_dialog: bool = False
    """inside the peer's current dialog: same Call-ID and tags, next CSeq, its route set"""
    save: Name | None = None
    """a name for this transaction, for ``of:`` in later steps"""


class SipSend(_Step, frozen=True, kw_only=True, tag="sip_send"):
    """Send raw octets as one datagram, or into the TCP stream."""

    peer: Name = "phone"
    sip: str | None = None
    """a message in which each line feed becomes CRLF; ``Content-Length: ${auto}`` is computed"""
    text: str | None = None
    """sent as it is"""
    hex: str | None = None
    split: Split | None = None


class SipExpect(_MessageCheck, frozen=True, kw_only=True, tag="sip_expect"):
    """The next SIP message at a peer must match everything that is given.

    Byte-equal repeats of messages already taken are passed over, unless ``retransmission`` is true.
    """

    peer: Name = "phone"
    status: int | None = None
    method: str | None = None
    """method of a request, or of the CSeq where ``status`` is given"""
    skip: list[str] = field(default_factory=list)
    """status codes and methods that may come before it"""
    retransmission: bool = False
    """the message must be byte-equal to one that was already taken"""
    of: Name | None = None
    """the transaction (``save`` of a sip_request) whose response it must be"""
    save: Name | None = None
    """a name for a request that came in, for ``to:`` of sip_respond"""


class SipNothing(_Step, frozen=True, kw_only=True, tag="sip_nothing"):
    """No SIP message comes to a peer; barriers as in expect_nothing (default: the peer's own)."""

    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    barrier: list[str] | None = None
    repeats: bool = False
    """byte-equal repeats of what was taken may come"""
    quiet: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)


class SipRespond(_Step, frozen=True, kw_only=True, tag="sip_respond"):
    """Answer a request that came to a peer (default: its latest)."""

    shorthand: ClassVar[str] = "status"
    status: int
    reason: str | None = None
    peer: Name = "phone"
    to: Name | None = None
    headers: HeaderFields = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    body: str | None = None


class SipAck(_Step, frozen=True, kw_only=True, tag="sip_ack"):
    """ACK the final response to an INVITE (default: the latest), by RFC 3261 §13.2.2.4 or §17.1.1.3."""

    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    of: Name | None = None
    headers: HeaderFields = field(default_factory=dict)
    body: str | None = None


class SipCancel(_Step, frozen=True, kw_only=True, tag="sip_cancel"):
    """CANCEL an INVITE (default: the peer's latest)."""

    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    of: Name | None = None
    headers: HeaderFields = field(default_factory=dict)


class SipRetransmit(_Step, frozen=True, kw_only=True, tag="sip_retransmit"):
    """Send a request again, byte for byte (default: the peer's latest message)."""

    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    of: Name | None = None


# Both sides


class Respond(_Step, frozen=True, kw_only=True, tag="respond"):
    """An application answers a network request (``sip|TRANSACTION|``) and gets the answer it expects.

    Default expectation: ``OK|application|…|Msg sent:|`` with the transaction id, and the status line sent.
    """

    shorthand: ClassVar[str] = "status"
    status: int
    reason: str | None = None
    app: Name = "app"
    transaction: str = "${APP.transaction}"
    """default: of the latest request frame on this application's connection"""
    headers: HeaderFields = field(default_factory=dict)
    body: str | None = None
    answer: Tokens | None = None
    """patterns for all tokens of the answer"""
    within: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)


class Advance(_Step, frozen=True, kw_only=True, tag="advance"):
    """Let time pass: at once on an embedded server, by waiting elsewhere."""

    shorthand: ClassVar[str] = "duration"
    duration: Duration


class CallSucceeds(_Step, frozen=True, kw_only=True, tag="call_succeeds"):
    """A fresh caller's INVITE is answered 200 by an application, acknowledged, and ended by the caller's BYE.

    Without ``app`` a new application connects for it; if the case has others that routed ``invite``, the one
    that gets the call answers it.
    """

    shorthand: ClassVar[str] = "app"
    app: Name | None = None
    transport: Literal["udp", "tcp"] = "udp"


class Alive(_Step, frozen=True, kw_only=True, tag="alive"):
    """A new admin connection authenticates and its ping is answered; then it is closed."""


class Note(_Step, frozen=True, kw_only=True, tag="note"):
    """A remark for the reader of the report."""

    shorthand: ClassVar[str] = "text"
    text: str


Step: TypeAlias = (
    Connect
    | Authenticate
    | Route
    | RemoveRoute
    | Ping
    | Send
    | SendBytes
    | Expect
    | ExpectClose
    | ExpectNothing
    | Close
    | Abort
    | SipPeer
    | SipRequest
    | SipSend
    | SipExpect
    | SipNothing
    | SipRespond
    | SipAck
    | SipCancel
    | SipRetransmit
    | Respond
    | Advance
    | CallSucceeds
    | Alive
    | Note
)

STEP_TYPES: dict[str, type[Step]] = {str(kind.__struct_config__.tag): kind for kind in Step.__args__}
"""Step name, as in YAML, to its type."""

CHECKS: frozenset[str] = frozenset(
    {
        *("authenticate", "route", "remove_route", "ping", "expect", "expect_close", "expect_nothing"),
        *("sip_expect", "sip_nothing", "respond", "call_succeeds", "alive"),
    }
)
"""Steps that look at what the peer does, and so have broken twins."""


class Located(Struct, frozen=True):
    """A step and where it was written."""

    step: Step
    source: str
    """``file:line``"""


def seconds(duration: str) -> float:
    """``500ms`` → 0.5, ``32s`` → 32.0."""
    if duration.endswith("ms"):
        return float(duration[:-2]) / 1000
    return float(duration[:-1])
