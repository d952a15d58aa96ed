"""What a server chooses freely, and replay therefore learns instead of comparing.

Transaction ids, tags, branches, Call-IDs, the proofs in its Record-Routes, the first CSeq number of a dialog and the
RSeqs of an INVITE are chosen by the server; what is chosen by an application or an endpoint is sent again as it was
recorded. A text counts as the server's if the server was the first to say it. Each gets a name; where it was recorded
stands a variable from then on.
Ports are known before anything is sent. Lengths are never learnt: what is chosen is as long as it was recorded, so that
every length token compares. Only an RSeq has one to ten digits, and the lengths of messages that hold one differ so.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CHOSEN = re.compile(
    rf"(?P<uuid>{_UUID})"
    r"|(?<=tag=)(?P<tag13>[0-9aBcDeFgHjKmNpQrStUvXyZ]{13})(?![0-9A-Za-z])"
    r"|(?<=branch=)(?P<branch>z9hG4bK[^;,\s]+)"
    r"|(?<=CSeq: )(?P<number>\d{7,9})(?= )"
    r"|(?<=;rt=)(?P<rt>[0-9a-f]{16})(?![0-9a-f])"
    r"|(?<=RSeq: )(?P<rseq>\d{1,10})(?=\r)"
)
_CALL_ID = re.compile(r"^Call-ID: (.*?)\r?$", re.MULTILINE)
_DIALOG_ID = re.compile(r"\|([^|]+);from-tag=")
_RSEQ_DIGITS = 10
_NAMES = {"uuid": "id", "tag13": "tag", "branch": "branch", "number": "cseq", "rseq": "rseq", "rt": "proof"}
_SHAPES = {"rseq": "number", "rt": "proof"}
"""the patterns of what is not called by its own"""


class Learnt:
    """The names for everything that this trace's server chose so far."""

    def __init__(self, ports: dict[int, str]) -> None:
        """``ports`` are the recorded ports and the variables that stand for them."""
        self.values: dict[str, str] = {}
        """name to the recorded value"""
        self._shapes: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._numbers: dict[tuple[str, str], str] = {}
        self._numbers_said: set[tuple[str, str]] = set()
        self._call_id = ""
        self._said = ""
        self._ports = ports
        self._port = re.compile(
            r"(?<![0-9A-Za-z.-])(?:" + "|".join(str(port) for port in sorted(ports)) + r")(?![0-9A-Za-z.-])"
            if ports
            else r"(?!)"
        )
        self._here: dict[str, str] | None = None
        """value to name, of what may stand in messages of this call, the longest first; None when that has changed"""

    def told(self, text: str) -> None:
        """An application or endpoint said this: what is in it is not the server's choice."""
        self._said += text + "\n"
        self._turn_to(text)
        for match in _CHOSEN.finditer(text):
            if match.lastgroup == "number" and (self._call_id, match[0]) not in self._numbers:
                self._numbers_said.add((self._call_id, match[0]))

    def choose(self, text: str) -> None:
        """The server said this: name what it is the first to say."""
        self._turn_to(text)
        for match in _CHOSEN.finditer(text):
            value, shape = match[0], str(match.lastgroup)
            if shape == "number":
                known = (self._call_id, value) in {*self._numbers, *self._numbers_said}
            else:
                known = value in self._names or value in self._said
            if known:
                continue
            name = f"{_NAMES[shape]}{sum(one.startswith(_NAMES[shape]) for one in self._shapes) + 1}"
            if shape == "number":
                self._numbers[self._call_id, value] = name  # two calls of one moment begin alike
            else:
                self._names[value] = name
            self._shapes[name] = _SHAPES.get(shape, shape)
            self.values[name] = value
            self._here = None

    def _turn_to(self, text: str) -> None:
        """CSeq numbers are those of the call of this message, which may name it by its dialog id alone."""
        found = _CALL_ID.search(text) or _DIALOG_ID.search(text)
        call_id = found[1] if found else ""
        if call_id != self._call_id:
            self._call_id, self._here = call_id, None

    def to_send(self, text: str) -> str:
        """A recorded text with ``${NAME}`` for what was learnt."""
        return self._replaced(text, lambda name: f"${{{name}}}")

    def length(self, recorded: str, content: str) -> str:
        """A pattern for the length of ``content``, which is as ``recorded`` but for the digits of what is learnt."""
        numbers = [
            value
            for name, value in self.values.items()
            if name.startswith(_NAMES["rseq"]) and re.search(rf"\b{value}\b", content)
        ]
        if not numbers:
            return recorded
        without = int(recorded) - sum(map(len, numbers))
        lengths = range(without + len(numbers), without + _RSEQ_DIGITS * len(numbers) + 1)
        return f"~{'|'.join(map(str, lengths))}"

    def expected(self, text: str) -> str:
        """A pattern for a recorded text: literal, but for what is learnt."""
        pattern = self._replaced(text, lambda name: f"{{{name}:{self._shapes[name]}}}")
        if pattern == self._ports_only(text):
            return f"={pattern}" if text[:1] in ("*", "~", "=") or "{" in text else pattern
        return pattern

    def _ports_only(self, text: str) -> str:
        return self._port.sub(lambda match: f"${{{self._ports[int(match[0])]}}}", text)

    def _replaced(self, text: str, written: Callable[[str], str]) -> str:
        if self._here is None:
            here = self._names | {
                value: name for (call_id, value), name in self._numbers.items() if call_id == self._call_id
            }
            self._here = dict(sorted(here.items(), key=lambda item: len(item[0]), reverse=True))
        # Of hundreds a text holds a few, and a pattern of these few is made and sought sooner than one of all.
        within = [re.escape(value) for value in self._here if value in text]
        if not within:
            return self._ports_only(text)
        pieces: list[str] = []
        position = 0
        for match in re.finditer("|".join(within), text):
            pieces += [self._ports_only(text[position : match.start()]), written(self._here[match[0]])]
            position = match.end()
        return "".join([*pieces, self._ports_only(text[position:])])
