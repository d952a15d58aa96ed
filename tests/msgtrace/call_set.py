"""One set of calls, of every kind that a Call-ID can hold, written down in every form of recording.

A :class:`Scene` is what happened: SIP messages at the server's address, and frames on one admin connection. The forms
are made of it: some hold both, some SIP alone, some frames alone.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapWriter

SERVER = "192.0.2.1:5060"
PHONE = "192.0.2.9:5060"
ADMIN = ("192.0.2.1", 9022)
APPLICATION = ("192.0.2.30", 40000)
ETHERNET = Ether(src="00:00:00:00:00:01", dst="00:00:00:00:00:02")  # else scapy asks the network for them


class Sip(Struct, frozen=True):
    """A SIP message at the server's address."""

    sent: bool
    peer: str
    text: str


class Frame(Struct, frozen=True):
    """A frame, ``down`` to the application."""

    down: bool
    payload: str


def message(
    start: str,
    call: str,
    cseq: str,
    tags: tuple[str, str] = ("a", ""),
    *,
    vias: Sequence[str] = (),
    extra: str = "",
    body: str = "",
) -> str:
    """A SIP message of the call ``call``; ``tags`` of From and To; ``vias`` are ``host:port branch``."""
    fields = [f"Via: SIP/2.0/UDP {via.replace(' ', ';branch=z9hG4bK')}" for via in vias]
    to_tag = f";tag={tags[1]}" if tags[1] else ""
    fields += [
        f"From: <sip:alice@example.com>;tag={tags[0]}",
        f"To: <sip:bob@example.com>{to_tag}",
        f"Call-ID: {call}",
        f"CSeq: {cseq}",
    ]
    fields += [extra] if extra else []
    return "\r\n".join([start, *fields, f"Content-Length: {len(body)}", "", body])


class Scene:
    """What happened, in its order."""

    def __init__(self) -> None:
        self.steps: list[Sip | Frame] = []
        self._ids = 0

    def id(self) -> str:
        """A new message id."""
        self._ids += 1
        return f"00000000-0000-4000-8000-{self._ids:012}"

    def ask(self, payload: str, answer: str) -> None:
        """The application asks, and the server answers."""
        asked = self.id()
        self.steps.append(Frame(False, f"{asked}|{payload}"))
        self.steps.append(Frame(True, f"{self.id()}|response|{asked}|OK{answer}"))

    def received(self, text: str, transaction: str, dialog: str = "", peer: str = PHONE) -> None:
        """A request of the network, which goes to the application."""
        self.steps.append(Sip(False, peer, text))
        host, _, port = peer.partition(":")
        meta = f"sip|network|{len(text)}|udp|{host}|{port}|07:00:00.0|{transaction}|{dialog}"
        ends = "|" if dialog else f"|{SERVER.replace(':', '|')}|"
        self.steps.append(Frame(True, f"{self.id()}|{meta}{ends}\r\n{text}"))

    def sent(self, text: str, transaction: str, order: str, dialog: str = "d", peer: str = PHONE) -> None:
        """The application orders something, and the server sends it and tells so."""
        asked = self.id()
        self.steps.append(Frame(False, f"{asked}|sip|{order}\r\n{text.partition(chr(13))[0]}\r\n\r\n"))
        self.steps.append(Sip(True, peer, text))
        host, _, port = peer.partition(":")
        meta = f"application|{len(text)}|udp|{host}|{port}|07:00:00.0|{transaction}|{dialog}"
        self.steps.append(Frame(True, f"{self.id()}|response|{asked}|OK|{meta}||Msg sent:|\r\n{text}"))

    def relayed(self, sent: bool, text: str, peer: str = PHONE) -> None:
        """What the server does on its own, of which no frame tells."""
        self.steps.append(Sip(sent, peer, text))


class Played:
    """Ways in which calls go."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.scene.ask("authenticate|cymru|", f"|udp/{SERVER}|v0.9.5|udp/{SERVER}")
        for verb in ("invite", "register", "options", "message"):
            self.scene.ask(f"route|{verb}", "")
        self._transactions = 0

    def request(
        self,
        method: str,
        call: str,
        number: int,
        tags: tuple[str, str] = ("a", ""),
        answers: Sequence[str] = (),
        *,
        acknowledged: bool = True,
    ) -> None:
        """A request of the network with the application's answers to it, and the ACK of an INVITE's."""
        self._transactions += 1
        transaction, scene = f"t{self._transactions}", self.scene
        via = [f"{PHONE} {call}{number}{method}{tags[0]}"]
        cseq = f"{number} {method}"
        dialog = f"{call};from-tag=a" if tags[1] else ""
        scene.received(
            message(f"{method} sip:bob@{SERVER} SIP/2.0", call, cseq, tags, vias=via), transaction, dialog
        )
        to = (tags[0], tags[1] or "b")
        for answer in answers:
            text = message(f"SIP/2.0 {answer}", call, cseq, to, vias=via)
            scene.sent(text, transaction, f"{transaction}|", f"{call};from-tag={tags[0]}")
        if method == "INVITE" and acknowledged and answers and answers[-1] >= "2":
            ok = answers[-1] < "3"
            own = [f"{PHONE} ack{call}{number}"] if ok else via
            text = message(f"ACK sip:{SERVER} SIP/2.0", call, f"{number} ACK", to, vias=own)
            if ok:
                scene.received(text, transaction, f"{call};from-tag={tags[0]}")
            else:
                scene.relayed(False, text)

    def hang_up(self, call: str, number: int, tags: tuple[str, str] = ("a", "b")) -> None:
        """The caller does."""
        self.request("BYE", call, number, tags, ["200 OK"])

    def application_hangs_up(self, call: str) -> None:
        """The application does, which is the callee."""
        self._transactions += 1
        via = [f"{SERVER} bye{call}"]
        text = message(f"BYE sip:alice@{PHONE} SIP/2.0", call, "77 BYE", ("b", "a"), vias=via)
        self.scene.sent(text, f"t{self._transactions}", f"|{call};from-tag=a|", f"{call};from-tag=a")
        ok = message("SIP/2.0 200 OK", call, "77 BYE", ("b", "a"), vias=via)
        self.scene.received(ok, f"t{self._transactions}", f"{call};from-tag=a")

    def cancelled(self, call: str) -> None:
        """It rings, and the caller gives up."""
        self.request("INVITE", call, 1, answers=["180 Ringing"])
        via = [f"{PHONE} {call}1INVITEa"]
        text = message(f"CANCEL sip:bob@{SERVER} SIP/2.0", call, "1 CANCEL", vias=via)
        self.scene.received(text, f"t{self._transactions}", f"{call};from-tag=a")
        self.scene.relayed(True, message("SIP/2.0 200 OK", call, "1 CANCEL", ("a", "b"), vias=via))
        self.scene.relayed(
            True, message("SIP/2.0 487 Request Terminated", call, "1 INVITE", ("a", "b"), vias=via)
        )
        self.scene.relayed(False, message(f"ACK sip:{SERVER} SIP/2.0", call, "1 ACK", ("a", "b"), vias=via))

    def dialled(self, call: str, answer: str) -> None:
        """The application calls somebody."""
        self._transactions += 1
        transaction, peer = f"t{self._transactions}", "192.0.2.20:5060"
        via = [f"{SERVER} {call}"]
        text = message("INVITE sip:bob@192.0.2.20 SIP/2.0", call, "1 INVITE", vias=via)
        self.scene.sent(text, transaction, "||", "", peer)
        response = message(f"SIP/2.0 {answer}", call, "1 INVITE", ("a", "b"), vias=via)
        self.scene.received(response, transaction, f"{call};from-tag=a", peer)
        self.scene.relayed(
            True, message("ACK sip:bob@192.0.2.20 SIP/2.0", call, "1 ACK", ("a", "b"), vias=via), peer
        )

    def proxied(self, call: str, branches: Sequence[tuple[str, str]], *, parallel: bool) -> None:
        """A proxied call: (target, final answer) of each branch; what answers 200 wins, and the caller hangs up."""
        self._transactions += 1
        transaction, scene = f"t{self._transactions}", self.scene
        via = f"{PHONE} {call}"
        invite = message(f"INVITE sip:bob@{SERVER} SIP/2.0", call, "1 INVITE", vias=[via])
        scene.received(invite, transaction)
        targets = "|".join(f"sip:{target}" for target, _ in branches)
        order = "simultaneous" if parallel else "serial"
        scene.ask(f"proxy|{transaction}|remainInDialog||||{order}||{targets}\r\n\r\n", "|done")

        def vias(target: str) -> list[str]:
            return [f"{SERVER} {call}{target}", via]

        def forward(target: str) -> None:
            text = message(f"INVITE sip:{target} SIP/2.0", call, "1 INVITE", vias=vias(target))
            scene.relayed(True, text, target)

        def answer(target: str, status: str) -> None:
            tags = ("a", f"b{target[-1]}")
            scene.relayed(
                False, message(f"SIP/2.0 {status}", call, "1 INVITE", tags, vias=vias(target)), target
            )

        if parallel:
            for target, _ in branches:
                forward(target)
        for target, status in branches:
            if not parallel:
                forward(target)
            if status < "2":
                continue
            if status == "487 Request Terminated":
                text = message(f"CANCEL sip:{target} SIP/2.0", call, "1 CANCEL", vias=vias(target)[:1])
                scene.relayed(True, text, target)
            answer(target, status)
            tags = ("a", f"b{target[-1]}")
            if status < "3":
                scene.relayed(True, message(f"SIP/2.0 {status}", call, "1 INVITE", tags, vias=[via]))
            else:
                ack = message(f"ACK sip:{target} SIP/2.0", call, "1 ACK", tags, vias=vias(target)[:1])
                scene.relayed(True, ack, target)
        winner = next((target for target, status in branches if status < "3"), "")
        if not winner:
            target, status = branches[-1]
            tags = ("a", f"b{target[-1]}")
            scene.relayed(True, message(f"SIP/2.0 {status}", call, "1 INVITE", tags, vias=[via]))
            scene.relayed(False, message(f"ACK sip:{SERVER} SIP/2.0", call, "1 ACK", tags, vias=[via]))
            return
        tags = ("a", f"b{winner[-1]}")
        for number, method in ((1, "ACK"), (2, "BYE")):
            own = f"{PHONE} {method}{call}"
            text = f"{method} sip:{winner} SIP/2.0"
            scene.relayed(False, message(text, call, f"{number} {method}", tags, vias=[own]))
            both = [f"{SERVER} {method}{call}{winner}", own]
            scene.relayed(True, message(text, call, f"{number} {method}", tags, vias=both), winner)


def played() -> tuple[Scene, dict[str, str]]:
    """All kinds, and by Call-ID what is right: a sign, and words that the verdict holds."""
    play = Played()
    right: dict[str, str] = {}

    def call(name: str, verdict: str) -> str:
        right[name] = verdict
        return name

    name = call("answered", "✓ answered for")
    play.request("INVITE", name, 1, answers=["180 Ringing", "200 OK"])
    play.hang_up(name, 2)
    name = call("callee-hangs-up", "✓ the callee")
    play.request("INVITE", name, 1, answers=["200 OK"])
    play.application_hangs_up(name)
    name = call("tried-again", "✓ the caller hung up; before that 503 Service Unavailable")
    play.request("INVITE", name, 1, answers=["503 Service Unavailable"])
    play.request("INVITE", name, 2, answers=["200 OK"])
    play.hang_up(name, 3)
    name = call("tried-in-vain", "✗ 486 Busy Here")
    play.request("INVITE", name, 1, answers=["503 Service Unavailable"])
    play.request("INVITE", name, 2, answers=["486 Busy Here"])
    name = call("refreshed", "✗ 403 Forbidden")
    for number, status in enumerate(("401 Unauthorized", "200 OK", "401 Unauthorized", "403 Forbidden"), 1):
        play.request("REGISTER", name, number, answers=[status])
    name = call("registered-later", "✓ 200 OK")
    play.request("REGISTER", name, 1, answers=["403 Forbidden"])
    play.request("REGISTER", name, 2, answers=["200 OK"])
    name = call("never-accepted", "✗ challenged 3 times: 401 Unauthorized")
    for number in (1, 2, 3):
        play.request("REGISTER", name, number, answers=["401 Unauthorized"])
    name = call("pings", "✗ 503 Service Unavailable")
    play.request("OPTIONS", name, 1, answers=["200 OK"])
    play.request("OPTIONS", name, 2, answers=["503 Service Unavailable"])
    name = call("session", "✗ 404 Not Found")
    for number, status in enumerate(("200 OK", "200 OK", "404 Not Found"), 1):
        play.request("MESSAGE", name, number, answers=[status])
    name = call("register-and-call", "✗ 403 Forbidden")
    play.request("REGISTER", name, 1, answers=["200 OK"])
    play.request("INVITE", name, 2, answers=["403 Forbidden"])
    name = call("ping-and-call", "✓ answered for")
    play.request("OPTIONS", name, 1, answers=["404 Not Found"])
    play.request("INVITE", name, 2, answers=["200 OK"])
    play.hang_up(name, 3)
    name = call("redirected", "✓ the caller hung up; before that 302 Moved Temporarily")
    play.request("INVITE", name, 1, answers=["302 Moved Temporarily"])
    play.request("INVITE", name, 2, answers=["200 OK"])
    play.hang_up(name, 3)
    name = call("challenged", "✓ the caller hung up")
    play.request("INVITE", name, 1, answers=["407 Proxy Authentication Required"])
    play.request("INVITE", name, 2, answers=["200 OK"])
    play.hang_up(name, 3)
    play.cancelled(call("cancelled", "✗ cancelled by the caller"))
    play.dialled(
        call("dialled", "✗ 480 Temporarily Unavailable by the other side"), "480 Temporarily Unavailable"
    )
    name = call("re-invited", "✓ the caller hung up")
    play.request("INVITE", name, 1, answers=["200 OK"])
    play.request("INVITE", name, 2, ("a", "b"), ["488 Not Acceptable Here"])
    play.hang_up(name, 3)
    return play.scene, right


def proxied() -> tuple[Scene, dict[str, str]]:
    """Proxied calls, of whose outcome no frame tells."""
    play = Played()
    right = {
        "serial": "✓ the caller hung up",
        "parallel": "✓ the caller hung up",
        "in-vain": "✗ 480 Gone by the other side",
        "late-failure": "✓ the caller hung up",
    }
    one, two = "192.0.2.41:5061", "192.0.2.42:5062"
    play.proxied("serial", [(one, "486 Busy"), (two, "200 OK")], parallel=False)
    play.proxied("parallel", [(one, "200 OK"), (two, "487 Request Terminated")], parallel=True)
    play.proxied("in-vain", [(one, "486 Busy"), (two, "480 Gone")], parallel=False)
    play.proxied("late-failure", [(two, "200 OK"), (one, "603 Decline")], parallel=True)
    return play.scene, right


def _clock(index: int) -> str:
    seconds = 100 * index  # milliseconds between two steps
    return f"07:{seconds // 60000:02}:{seconds // 1000 % 60:02}.{seconds % 1000:03}"


def _frame(payload: str) -> str:
    return f"{len(payload)}#{payload}"


def trace(scene: Scene) -> bytes:
    """What the reference server's --trace writes."""
    lines: list[dict[str, object]] = []
    for index, step in enumerate(scene.steps):
        time = f"2026-11-23T{_clock(index)}000Z"
        if isinstance(step, Frame):
            direction, text = ("sent" if step.down else "received"), step.payload
            lines.append({"kind": "frame", "time": time, "connection": 1, "direction": direction})
        else:
            direction, text = ("sent" if step.sent else "received"), step.text
            lines.append(
                {"kind": "sip", "time": time, "direction": direction, "transport": "udp", "remote": step.peer}
            )
            lines[-1]["local"] = SERVER
        lines[-1] |= {"octets": len(text), "text": text}
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _logged(step: Sip, index: int) -> str:
    way = f"send {len(step.text)} bytes to" if step.sent else f"recv {len(step.text)} bytes from"
    host, _, port = step.peer.partition(":")
    return f"2026-11-23 {_clock(index)}000 {way} udp/[{host}]:{port} at {_clock(index)}:\n{step.text} \n"


def info_log(scene: Scene) -> bytes:
    """A server's log at info: SIP alone."""
    return "".join(_logged(step, i) for i, step in enumerate(scene.steps) if isinstance(step, Sip)).encode()


def debug_log(scene: Scene) -> bytes:
    """A server's log at debug: both."""
    lines = []
    for index, step in enumerate(scene.steps):
        if isinstance(step, Sip):
            lines.append(_logged(step, index))
        else:
            what = (
                f"Client::send Sending: {_frame(step.payload)}"
                if step.down
                else f"Client::read_handler read: {step.payload}"
            )
            lines.append(f"2026-11-23 {_clock(index)}000 {what}\n\n")
    return "".join(lines).encode()


def client_log(scene: Scene) -> bytes:
    """An application's logger: frames alone, without times."""
    frames = [step for step in scene.steps if isinstance(step, Frame)]
    return "".join(
        f"{'<===' if step.down else '===>'}\r\n{_frame(step.payload)}\r\n" for step in frames
    ).encode()


def debug_output(scene: Scene) -> bytes:
    """DEBUG=drachtio:agent: frames alone."""
    return "".join(
        f"2026-11-23T{_clock(index)}Z drachtio:agent "
        f"{'<===' if step.down else 'wp#send h:9022 - '}{_frame(step.payload)}\n"
        for index, step in enumerate(scene.steps)
        if isinstance(step, Frame)
    ).encode()


def recording(scene: Scene) -> bytes:
    """What ``msgtrace record`` writes: frames alone."""
    return "".join(
        json.dumps(
            {
                "kind": "chunk",
                "time": f"2026-11-23T{_clock(index)}000Z",
                "connection": 1,
                "direction": "to-application" if step.down else "to-server",
                "octets": len(_frame(step.payload)),
                "text": _frame(step.payload),
            }
        )
        + "\n"
        for index, step in enumerate(scene.steps)
        if isinstance(step, Frame)
    ).encode()


def _datagram(step: Sip) -> Packet:
    ends = (SERVER, step.peer) if step.sent else (step.peer, SERVER)
    (source, sport), (target, dport) = (end.split(":") for end in ends)
    return (
        ETHERNET
        / IP(src=source, dst=target)
        / UDP(sport=int(sport), dport=int(dport))
        / Raw(step.text.encode())
    )


def _packets(scene: Scene, *, admin: bool) -> bytes:
    numbers = {True: 1000, False: 5000}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture"
        with PcapWriter(str(path), linktype=1) as writer:
            for index, step in enumerate(scene.steps):
                if isinstance(step, Sip):
                    packet = _datagram(step)
                elif admin:
                    source, target = (ADMIN, APPLICATION) if step.down else (APPLICATION, ADMIN)
                    segment = TCP(sport=source[1], dport=target[1], seq=numbers[step.down], flags="PA")
                    octets = _frame(step.payload).encode()
                    numbers[step.down] += len(octets)
                    packet = ETHERNET / IP(src=source[0], dst=target[0]) / segment / Raw(octets)
                else:
                    continue
                packet.time = 1795417200 + index / 10
                writer.write(packet)
        return path.read_bytes()


def capture(scene: Scene) -> bytes:
    """A capture of both."""
    return _packets(scene, admin=True)


def sip_capture(scene: Scene) -> bytes:
    """A capture of port 5060 alone."""
    return _packets(scene, admin=False)


WITH_SIP: dict[str, Callable[[Scene], bytes]] = {
    "trace": trace,
    "log at info": info_log,
    "log at debug": debug_log,
    "capture": capture,
    "capture of SIP alone": sip_capture,
}
FRAMES_ALONE: dict[str, Callable[[Scene], bytes]] = {
    "client log": client_log,
    "debug output": debug_output,
    "recording": recording,
}
