"""``shell HOST:PORT``: an admin connection that a person types into.

The shell makes message ids and lengths, prints every frame that is sent or comes with its tokens by name, and lets
one send anything at all, also what is wrong. It works on a pipe, too: there each command waits for its answer, and
the shell ends when the input does.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence

from msgspec import Struct

from drachtio_conformance.cases.selection import near
from drachtio_conformance.cli.arguments import AdminAddress
from drachtio_conformance.cli.shell_connection import Arrival, ShellConnection
from drachtio_conformance.peers.sip_compose import REASONS
from msgtrace import messages, redact, render
from msgtrace.frames import Damage
from msgtrace.messages import Message, MessageKind
from msgtrace.octets import one_line, readable

HELP = """\
commands of the protocol
  authenticate [SECRET [TAGS]]   log in; without SECRET the one of the command line
  route VERB…                    ask for new requests: route invite, route invite register
  remove_route VERB              ask no more
  ping                           is the server there?
  sip [TRANSACTION [DIALOG [ROUTE]]]
                                 send a SIP message: type it on the following lines, end it with a line '.'
                                 sip $t      answers the latest request     (its first line is SIP/2.0 …)
                                 sip - $d    a request inside the latest dialog
                                 sip         a request outside any dialog
  respond STATUS [REASON]        short for sip $t with SIP/2.0 STATUS REASON and nothing else
  VERB|TOKEN|…                   any tokens: the id is put in front

anything else that is to be sent
  frame TEXT                     TEXT as the whole payload, its length in front
  raw TEXT                       exactly these octets; \\r \\n \\t \\\\ and \\xNN are understood in both

the shell
  $t $d $id                      latest transaction id (also of your own request), dialog id, own message id
  wait [SECONDS]                 wait for the next frame from the server (5 s)
  brief, full                    one line for each frame, or every token by name
  connect, close                 a new connection (authenticated, if there is a --secret); the end of this one
  help, quit
"""

_ESCAPE = re.compile(r"\\(r|n|t|\\|x[0-9a-fA-F]{2})")
_CONTROLS = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
_SECRET = re.compile(r"((?:^|[#\r\n])[^|#\r\n]*\|authenticate\|)([^|\r\n]*)", re.IGNORECASE)
METHODS = (
    *("INVITE", "BYE", "OPTIONS", "REGISTER", "MESSAGE", "INFO", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"),
    *("PUBLISH", "PRACK", "ACK", "CANCEL"),
)
"""what requests can be routed by, the frequent ones first"""
_ANSWERS = frozenset({MessageKind.OK, MessageKind.NO, MessageKind.NOK})


class BadInput(ValueError):
    """What was typed cannot be sent; the message explains it."""


class _Asked(Struct, frozen=True):
    at: float
    summary: str


class Shell:
    """One session. Not thread-safe except for the arrival of frames."""

    def __init__(
        self,
        address: AdminAddress,
        secret: str,
        write: Callable[[str], None],
        *,
        brief: bool = False,
        patience: float = 5.0,
    ) -> None:
        """``write`` prints lines (without a final line feed); it is called by the receiving thread, too.

        ``secret`` is what a bare ``authenticate`` sends; ``patience`` is how long an answer is waited for, in seconds.
        """
        self._address = address
        self._secret = secret
        self._write = write
        self._brief = brief
        self._patience = patience
        self._connection: ShellConnection | None = None
        self._lock = threading.Condition()
        self._asked: dict[str, _Asked] = {}
        self._news = 0
        self._waited_for = 0
        self._ending = False
        self._last_id = self._transaction = self._dialog = ""
        self._request = ""
        """transaction id of the latest request that came"""
        self.refused = False
        """whether an ``authenticate`` was answered with NO"""

    def connect(self) -> None:
        """Open the connection, and authenticate if there is a secret. Raises CannotConnect."""
        self.close()
        self._connection = ShellConnection(self._address, self._arrived)
        self._write(f"connected to {self._address}")
        if self._secret:
            self._send_tokens(f"authenticate|{self._secret}|")

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._forget()

    def _forget(self) -> None:
        """No answers will come any more."""
        with self._lock:
            self._asked.clear()
            self._ending = False
            self._lock.notify_all()

    def settle(self, seconds: float | None = None) -> None:
        """Wait until every request is answered, or ``seconds`` have passed.

        Behind a NO the server closes the connection, so that is waited for, too. What is not answered within the
        shell's own patience (``seconds`` None) is told, and no longer waited for.
        """
        patience = self._patience if seconds is None else seconds
        with self._lock:
            if self._lock.wait_for(lambda: not self._asked and not self._ending, patience):
                return
            unanswered = [asked.summary for asked in self._asked.values()] if seconds is None else []
            if seconds is None:
                self._asked.clear()
                self._ending = False
        for summary in unanswered:
            self._write(f"no answer to {summary} within {patience:g} s")

    def execute(self, line: str, more: Callable[[], str | None]) -> bool:
        """Do what one line says; ``more`` gives further lines (None at the end). False ends the session.

        Raises BadInput.
        """
        words = line.split()
        if not words or words[0].startswith("#"):
            return True
        command, rest = words[0], line.strip()[len(words[0]) :].strip()
        if "|" in command:
            self._send_tokens(self._replaced(line.strip()))
            return True
        match command:
            case "quit" | "exit":
                return False
            case "help" | "?":
                self._write(HELP.rstrip())
            case "brief" | "full":
                self._brief = command == "brief"
            case "connect":
                self.connect()
            case "close":
                self.close()
                self._write("closed")
            case "wait":
                self._wait(rest)
            case _:
                content = _message(more) if command == "sip" else ""
                self._protocol(command, [self._replaced(word) for word in words[1:]], rest, content=content)
        return True

    def _protocol(self, command: str, words: list[str], rest: str, *, content: str) -> None:
        match command, words:
            case "authenticate", []:
                if not self._secret:
                    raise BadInput("authenticate needs a secret: authenticate SECRET, or start with --secret")
                self._send_tokens(f"authenticate|{self._secret}|")
            case "authenticate", [secret, *tags]:
                self._send_tokens("|".join(["authenticate", secret, ",".join(tags)]))
            case "ping", []:
                self._send_tokens("ping")
            case "route" | "remove_route", []:
                raise BadInput(
                    f"{command} needs a verb: {command} invite. To send it without one: frame ID|{command}"
                )
            case "route" | "remove_route", verbs:
                for verb in verbs:
                    if verb != verb.lower():
                        self._write(
                            f"note: verbs are compared as typed, and requests match in lower case: {verb.lower()}"
                        )
                    self._send_tokens(f"{command}|{verb}")
                    self.settle()
            case "sip", ids if len(ids) <= 3:
                padded = ["" if word == "-" else word for word in ids] + [""] * (2 - len(ids))
                self._send_tokens("|".join(["sip", *padded]), "\r\n" + content)
            case "respond", [status, *reason] if status.isdecimal():
                if not self._request:
                    raise BadInput(
                        "there is no request to respond to yet: route invite, then call the server"
                    )
                line = f"SIP/2.0 {status} {' '.join(reason) or REASONS.get(int(status), '')}".rstrip()
                self._send_tokens(f"sip|{self._request}|", f"\r\n{line}\r\n\r\n")
            case "respond", _:
                raise BadInput("respond needs a status: respond 486, respond 486 Busy Here")
            case "frame", [_, *_]:
                self._send_payload(_octets(self._replaced(rest)))
            case "raw", [_, *_]:
                octets, connection = _octets(self._replaced(rest)), self._connected()
                self._write(f"--> {readable(masked(octets), keep='')}   ({_octet_count(len(octets))})")
                connection.send(octets)
            case (("frame" | "raw"), []):
                raise BadInput(
                    f"{command} needs a text: {command} {'id1|ping' if command == 'frame' else '8#id1|ping'}"
                )
            case (("ping" | "sip"), _):
                raise BadInput(
                    f"{command} takes fewer words than '{rest}'; any tokens can be sent as {command}|TOKEN|…"
                )
            case _:
                raise BadInput(f"no command is called '{command}'{near(command, _COMMANDS)}; type help")

    def _replaced(self, text: str) -> str:
        """``text`` with $t, $d and $id."""
        values = {"$t": self._transaction, "$d": self._dialog, "$id": self._last_id}

        def value(match: re.Match[str]) -> str:
            name = match[0]
            if not values[name]:
                what = {
                    "$t": "transaction id: no request has come or left",
                    "$d": "dialog id: no frame had one",
                }
                raise BadInput(
                    f"{name} is empty, there is no {what.get(name, 'message id: nothing was sent')} yet"
                )
            return values[name]

        return re.sub(r"\$(?:t|d|id)\b", value, text)

    def _send_tokens(self, tokens: str, content: str = "") -> None:
        self._last_id = str(uuid.uuid4())
        self._send_payload(f"{self._last_id}|{tokens.encode('utf-8').decode('latin-1')}{content}")

    def _send_payload(self, payload: str) -> None:
        message = messages.decode(payload, from_server=False)
        connection = self._connected()
        self._show("-->", len(payload), payload, message=message, remark="")
        with self._lock:
            self._asked[message.id] = _Asked(time.monotonic(), one_line(message.summary()))
        connection.send(f"{len(payload)}#{payload}")

    def _connected(self) -> ShellConnection:
        if self._connection is None or not self._connection.open:
            raise BadInput("there is no connection: type connect")
        return self._connection

    def _wait(self, seconds: str) -> None:
        try:
            patience = float(seconds) if seconds else self._patience
        except ValueError:
            raise BadInput(f"wait takes seconds, got '{seconds}'") from None
        with self._lock:
            if self._lock.wait_for(lambda: self._news > self._waited_for, patience):
                self._waited_for += 1
            else:
                self._write(f"nothing came within {patience:g} s")

    # in the receiving thread

    def _arrived(self, arrival: Arrival) -> None:
        match arrival.item:
            case None:
                self._write("the server closed the connection (type connect for a new one)")
                self._forget()
            case Damage() as damage:
                self._write(f"<-- not a frame: {readable(redact.secrets(damage.explanation))}")
            case frame:
                message = messages.decode(frame.payload, from_server=True)
                remark = self._learn(message, arrival.at)
                self._show("<--", frame.length, frame.payload, message=message, remark=remark)
        with self._lock:
            self._lock.notify_all()

    def _learn(self, message: Message, at: float) -> str:
        """Remember the ids that a frame from the server brings; returns a remark about what it answers."""
        remark = ""
        with self._lock:
            if message.kind in _ANSWERS and (asked := self._asked.pop(message.get("request-id"), None)):
                remark = f"   answers {asked.summary} after {(at - asked.at) * 1000:.1f} ms"
            else:
                self._news += 1
            self._ending = self._ending or message.kind is MessageKind.NO
            self.refused = self.refused or (message.kind is MessageKind.NO and "authenticate" in remark)
            if message.kind is MessageKind.NETWORK_REQUEST:
                self._request = message.get("transaction-id")
            self._transaction = message.get("transaction-id") or self._transaction
            self._dialog = message.get("dialog-id") or self._dialog
        return remark

    def _show(self, arrow: str, length: int, payload: str, *, message: Message, remark: str) -> None:
        shown = messages.decode(masked(payload), from_server=arrow == "<--")
        lines = [f"{arrow} {one_line(shown.summary())}{remark}"]
        if not self._brief:
            meta = "|".join(token.value for token in shown.tokens)
            lines.append(f"       {length}#{readable(meta, keep='')}")
            lines += render.tokens(shown)
            text = readable(shown.content).rstrip("\n")
            lines += [f"         │ {row}".rstrip() for row in text.split("\n") if text]
        self._write("\n".join(lines))


_COMMANDS = (
    *("authenticate", "route", "remove_route", "ping", "sip", "respond", "frame", "raw"),
    *("wait", "brief", "full", "connect", "close", "help", "quit"),
)


def completions(line: str, word: str) -> list[str]:
    """What ``word``, the last of ``line``, may become; each with a blank behind it."""
    before = line[: len(line) - len(word)].split()
    match before:
        case []:
            known: Sequence[str] = _COMMANDS
        case ["route" | "remove_route", *_]:
            known = [method.lower() for method in METHODS]
        case ["respond"]:
            known = [str(status) for status in REASONS]
        case ["help", *_]:
            known = ()
        case _:
            known = ("$t", "$d", "$id")
    return [f"{one} " for one in known if one.startswith(word)]


def masked(text: str) -> str:
    """``text`` (payloads, frames, what is left of them) with as many asterisks as each shared secret has octets, so
    that a length beside it stays true; credentials of SIP digests as ``***``."""
    lengths = iter([len(found[2]) for found in _SECRET.finditer(text)])
    return _SECRET.sub(lambda found: found[1] + "*" * next(lengths, 3), redact.secrets(text))


def _message(more: Callable[[], str | None]) -> str:
    """The SIP message that follows, up to a line ``.``; as octets with CR LF, ended by a blank line."""
    lines: list[str] = []
    while (line := more()) is not None and line != ".":
        lines.append(line)
    if "" not in lines:
        lines.append("")
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8").decode("latin-1")


def _octets(text: str) -> str:
    """What was typed as octets, escapes replaced."""
    wire = text.encode("utf-8").decode("latin-1")
    return _ESCAPE.sub(lambda match: _CONTROLS.get(match[1]) or chr(int(match[1][1:], 16)), wire)


def _octet_count(number: int) -> str:
    return "1 octet" if number == 1 else f"{number} octets"
