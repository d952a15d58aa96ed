"""docs/guides/frames: a page for each kind of frame, and the table of all of them."""

from __future__ import annotations

from protocol_book.frames import FRAMES
from protocol_book.grammar import Direction, Frame, Message, Token, TokenType
from protocol_book.suite import Specification
from protocol_book.tables import table
from protocol_book.texts import FAILURES

NOTICE = "<!-- made by python -m protocol_book from tools/protocol_book/frames_to_*.py -->\n"
WAYS = {
    Direction.TO_SERVER: "application → server",
    Direction.TO_APPLICATION: "server → application",
}
_BEHIND = {
    Message.NONE: "",
    Message.REQUEST: "a SIP request",
    Message.RESPONSE: "a SIP response",
    Message.EITHER: "a SIP message",
    Message.HEADERS: "a SIP message of which the headers count",
}


def file_name(frame: Frame) -> str:
    """``cdr-stop.md`` of ``cdr:stop``."""
    return frame.name.replace(":", "-") + ".md"


def syntax(frame: Frame) -> str:
    """``id|route|verb``: what is fixed as it is, the rest by name; what may be missing in brackets."""
    parts: list[str] = []
    closing = 0
    for number, token in enumerate(frame.tokens):
        if token.ignored and token.optional:
            break
        if token.optional and token.type is not TokenType.EMPTY:
            parts.append(f"[|{_shown(token)}")
            closing += 1
        else:
            parts.append(("|" if number else "") + _shown(token))
    if frame.more:
        parts.append(f"|{frame.more.name}…")
    return "".join(parts) + "]" * closing


def _shown(token: Token) -> str:
    if token.type is TokenType.EMPTY or token.ignored:
        return ""
    if token.type is TokenType.WORD and len(token.values) == 1 and not token.may_be_empty:
        return token.values[0]
    return token.name


def overview() -> str:
    """The table of all frames, for docs/protocol.md."""
    rows = []
    for frame in FRAMES:
        line = f"[`{frame.name}`](guides/frames/{file_name(frame)})"
        behind = _BEHIND[frame.message]
        tokens = f"`{syntax(frame)}`" + (f" ⏎ {behind}" if behind else "")
        rows.append((line, WAYS[frame.direction], tokens, frame.clauses[0]))
    return table(("frame", "direction", "tokens", "clause"), rows)


def page(frame: Frame, specification: Specification) -> str:
    """The page of one frame."""
    define = specification.clauses[frame.clauses[0]]
    dialects = ", ".join(frame.dialects)
    parts = [
        NOTICE,
        f"# `{frame.name}`\n",
        f"{frame.title}. {WAYS[frame.direction].capitalize()}; dialect {dialects}; since server {frame.since}.\n",
        "```text\n"
        + syntax(frame)
        + ("⏎\n" + _BEHIND[frame.message] if _BEHIND[frame.message] else "")
        + "\n```\n",
        f"## What does each token of `{_verb(frame)}` mean?\n",
        table(
            ("", "token", "type", "meaning", "clause"),
            [_row(number, token) for number, token in enumerate(frame.tokens)] + _more(frame),
        ),
    ]
    if frame.direction is Direction.TO_SERVER:
        parts += ["## Answers\n", _answers(frame)]
        parts += [f"## Which errors can `{_verb(frame)}` give?\n", _failures(frame)]
    else:
        asked = [each for each in FRAMES if frame.name in each.answers]
        if asked:
            parts.append(
                "It answers " + ", ".join(f"[`{each.name}`]({file_name(each)})" for each in asked) + ".\n"
            )
    parts += [
        "## Example\n",
        f"Of {define.id}, {define.title}:\n",
        f"```text\n{define.example}\n```\n",
        "## Clauses\n",
        table(
            ("clause", "title"),
            [(each, specification.clauses[each].title) for each in frame.clauses],
        ),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _verb(frame: Frame) -> str:
    """The word by which everybody knows it: its type."""
    return frame.tokens[1].values[0]


def by_verb() -> str:
    """docs/guides/tokens.md: what stands at which place in the forms of a frame, side by side."""
    parts = [
        NOTICE,
        "# Tokens: what stands at which place\n",
        "A frame of one type has several forms. Here they stand side by side, token by token; a form's page says "
        "what each token means. Token 0 is the first.\n",
    ]
    for direction in Direction:
        forms: dict[str, list[Frame]] = {}
        for frame in FRAMES:
            if frame.direction is direction:
                forms.setdefault(_verb(frame), []).append(frame)
        for verb, frames in forms.items():
            parts += [
                f"## What does token 0, 1, 2 … of `{verb}` mean? ({WAYS[direction]})\n",
                _side_by_side(frames),
            ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _side_by_side(frames: list[Frame]) -> str:
    names = [f"[`{frame.name}`](frames/{file_name(frame)})" for frame in frames]
    longest = max(len(frame.tokens) + (frame.more is not None) for frame in frames)
    rows = [(str(place), *(_at(frame, place) for frame in frames)) for place in range(longest)]
    return table(("token", *names), rows)


def _at(frame: Frame, place: int) -> str:
    if place < len(frame.tokens):
        token = frame.tokens[place]
        return (
            token.name
            if token.type is not TokenType.WORD or len(token.values) > 1
            else f"`{token.values[0]}`"
        )
    return f"{frame.more.name} …" if frame.more is not None and place == len(frame.tokens) else ""


def _row(number: int, token: Token) -> tuple[str, ...]:
    meaning = token.meaning
    words = token.values if token.type is TokenType.WORD else ()
    if words and not (len(words) == 1 and meaning == "always this"):
        meaning += ": " + ", ".join(f"`{word}`" for word in words)
    elif words:
        meaning = f"always `{words[0]}`"
    elif token.values and token.name != "text":
        meaning = ", ".join(f"`{word}`" for word in token.values) + f": {meaning}"
    if token.optional:
        meaning += "; may be missing"
    return str(number), token.name, token.type.value, meaning, token.clause


def _more(frame: Frame) -> list[tuple[str, ...]]:
    if frame.more is None:
        return []
    first = len(frame.tokens)
    return [
        (f"{first} …", f"{frame.more.name}-1 …", frame.more.type.value, frame.more.meaning, frame.more.clause)
    ]


def _answers(frame: Frame) -> str:
    known = {each.name: each for each in FRAMES}
    lines = [f"- [`{name}`]({file_name(known[name])}): {known[name].title}" for name in frame.answers]
    return "\n".join(lines) + "\n"


def _failures(frame: Frame) -> str:
    rows = [
        (failure.outcome, f"`{failure.text}`", failure.when, ", ".join(failure.clauses))
        for failure in FAILURES
        if not failure.frames or frame.name in failure.frames
    ]
    return table(("", "text", "when", "clause"), rows)
