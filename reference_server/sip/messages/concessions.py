"""What peers really send beside the grammar, and what is made of it: one table, CONCESSIONS (SIP-46 to SIP-48).

uri.py, headers.py and message.py hold values against RFC 3261. Where that fails, and the server itself needs the
value, lenient.py has it mended by the table here and holds it against the grammar again: so there is one grammar, and
one list of what may differ from it. Each concession mends one part of a value, in the order of the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from msgspec import Struct

from reference_server.sip.messages.headers import split_values


class Part(Enum):
    """What a concession is about."""

    STATUS_LINE = auto()
    EXPIRES = auto()
    LIST = auto()
    """the elements of a list, by commas"""
    VALUE = auto()
    """one address, whole"""
    NAME = auto()
    """what stands before the URI's angle bracket"""
    URI = auto()
    PARAMETERS = auto()
    """what stands behind the URI"""


class Concession(Struct, frozen=True):
    """One slip, and how it is read."""

    part: Part
    slip: str
    """an example, as it comes"""
    read_as: str
    why: str
    mend: Callable[[str], str]
    """returns its part without the slip; a text without it unchanged"""


BLANKS: Final = " \t\r\n"
QUOTED: Final = r'"(?>(?:[^"\\]++|\\.)*)"'
_ONE_QUOTED: Final = re.compile(QUOTED, re.DOTALL)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~\s\x80-\xff]*")
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_SIP = re.compile(r"(sips?:|tel:)(.*)", re.IGNORECASE | re.DOTALL)
_TO_CLOSING_QUOTE = r'"(?>(?:[^"\\]++|\\.)*)\\?(?:"|\Z)'
_QUOTED_WORDS = re.compile(_TO_CLOSING_QUOTE, re.DOTALL)
_PARAMETER = re.compile(rf';((?>(?:[^;"]++|{_TO_CLOSING_QUOTE})*))', re.DOTALL)
_SOUND_PARAMETER = re.compile(
    rf"\s*[A-Za-z0-9\-.!%*_+`'~]+(?:\s*=\s*(?:{QUOTED}|[^\s;,\"<>?]+))?\s*", re.DOTALL
)
_COMMENT = re.compile(r"[ \t]\([^()\"<>]*\)\Z")
_BRACKETS = re.compile(r"<{2,}|>{2,}")
_NAME_AND_ADDR_SPEC = re.compile(rf"({QUOTED})[ \t]*+([^\s\"<>;,?]++)(?=[ \t]*+(?:;|\Z))", re.DOTALL)
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [A-Za-z0-9 -]{5,12} \d\d:\d\d:\d\d(?: [A-Z]{3}| \d{4})?"
)
_MANY_BLANKS: Final = re.compile(r"[ \t]+")
_AROUND_SEPARATORS = re.compile(r" ?([;=?]) ?")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TO_ESCAPE = re.compile(r'[ \t"<>\\^`{|}]')
_NO_PARAMETER_CHARACTER = re.compile(r"[^A-Za-z0-9\-_.!~*'()\[\]/:&+$%]")
_QUOTED_VALUE = re.compile(r'="((?>(?:[^"\\]++|\\.)*))"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _escape(matched: re.Match[str]) -> str:
    return f"%{ord(matched[0]):02X}"


def _one_blank(line: str) -> str:
    words = line.split(None, 2)
    return " ".join(words) if words and words[0].upper().startswith("SIP/") else line


def _date(value: str) -> str:
    return "3600" if _DATE.fullmatch(value) else value


def _without_comment(value: str) -> str:
    return _COMMENT.sub("", value).rstrip(BLANKS)


def _one_pair_of_brackets(value: str) -> str:
    return _BRACKETS.sub(lambda many: many[0][0], value)


def _in_brackets(value: str) -> str:
    found = _NAME_AND_ADDR_SPEC.match(value)
    return f"{found[1]} <{found[2]}>{value[found.end() :]}" if found else value


def _in_quotes(name: str) -> str:
    text = name.strip(BLANKS)
    if _PLAIN_NAME.fullmatch(text) or _ONE_QUOTED.fullmatch(text):
        return text
    words = _QUOTED_WORDS.sub(lambda quoted: _ESCAPED.sub(r"\1", quoted[0][1:].removesuffix('"')), text)
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _without_blanks(uri: str) -> str:
    return _AROUND_SEPARATORS.sub(r"\1", _MANY_BLANKS.sub(" ", uri.strip(BLANKS)))


def _without_slashes(uri: str) -> str:
    matched = _SIP.fullmatch(uri)
    return f"{matched[1]}{matched[2].removeprefix('//')}" if matched else uri


def _with_scheme(uri: str) -> str:
    return uri if not uri or SCHEME.match(uri) else f"sip:{uri}"


def _without_quotes(uri: str) -> str:
    def unquoted(matched: re.Match[str]) -> str:
        value = _ESCAPED.sub(r"\1", matched[1])
        return f"={_NO_PARAMETER_CHARACTER.sub(_escape, value)}"

    return _QUOTED_VALUE.sub(unquoted, uri)


def _halves(uri: str) -> tuple[str, str, str]:
    """Scheme and user with the first ``@``; host and port; what follows. Only of SIP and tel URIs."""
    matched = _SIP.fullmatch(uri)
    if matched is None:
        return uri, "", ""
    user, at, rest = matched[2].partition("@")
    if not at:
        user, rest = "", matched[2]
    end = min([found for found in (rest.find(";"), rest.find("?")) if found >= 0], default=len(rest))
    return f"{matched[1]}{user}{at}", rest[:end], rest[end:]


def _one_at(uri: str) -> str:
    before, host, behind = _halves(uri)
    if "@" not in host:
        return uri
    user, _, host = f"{before}{host}".rpartition("@")
    return f"{user.replace('@', '%40')}@{host}{behind}"


def _without_empty_user(uri: str) -> str:
    before, host, behind = _halves(uri)
    return f"{before[:-1]}{host}{behind}" if before.endswith(":@") else uri


def _without_empty_port(uri: str) -> str:
    before, host, behind = _halves(uri)
    return f"{before}{host[:-1]}{behind}" if host.endswith(":") else uri


def _without_empty_parameters(uri: str) -> str:
    before, host, behind = _halves(uri)
    parameters, question, headers = behind.partition("?")
    named = [one for one in parameters.split(";") if one and not one.startswith("=")]
    return f"{before}{host}{''.join([f';{one}' for one in named])}{question}{headers}"


def _escaped(uri: str) -> str:
    return _LONE_PERCENT.sub("%25", _TO_ESCAPE.sub(_escape, uri))


def _fewer_separators(parameters: str) -> str:
    items = [matched[1].strip(BLANKS) for matched in _PARAMETER.finditer(parameters)]
    if len(items) > 1 and not items[-1] and not items[-2]:
        return parameters  # separators alone are no value (RFC 4475 §3.1.2.1)
    return "".join([f";{item}" for item in items if item])


def _readable_ones(parameters: str) -> str:
    if parameters and not parameters.strip(" \t;"):
        return parameters
    items = [
        matched[1].strip(BLANKS).removesuffix("=").rstrip(BLANKS)
        for matched in _PARAMETER.finditer(parameters)
    ]
    return "".join([f";{item}" for item in items if not item or _SOUND_PARAMETER.fullmatch(item)])


def _no_empty_elements(value: str) -> str:
    return ", ".join(elements(value))


CONCESSIONS: Final[tuple[Concession, ...]] = (
    Concession(
        Part.STATUS_LINE,
        slip="SIP/2.0  200  OK",
        read_as="SIP/2.0 200 OK",
        why="RFC 3261 §25.1 has one blank; with more it says the same, and what is dropped is waited for",
        mend=_one_blank,
    ),
    Concession(
        Part.EXPIRES,
        slip="Thu, 01 Dec 2033 16:00:00 GMT",
        read_as="3600",
        why="RFC 2543 §6.20 allowed a date; counted as RFC 3261 §20.10 counts what is malformed",
        mend=_date,
    ),
    Concession(
        Part.LIST,
        slip=",<sip:a@h>,, <sip:b@h>,",
        read_as="<sip:a@h>, <sip:b@h>",
        why="RFC 2543 §C (and RFC 2616 §2.1): empty elements are allowed and do not count",
        mend=_no_empty_elements,
    ),
    Concession(
        Part.VALUE,
        slip="sip:a@h (at home)",
        read_as="<sip:a@h>",
        why="RFC 2543 §6.13: a comment may follow the parameters",
        mend=_without_comment,
    ),
    Concession(
        Part.VALUE,
        slip="<<sip:a@h>>",
        read_as="<sip:a@h>",
        why="no URI has angle brackets (RFC 3261 §25.1), so that nothing else can be meant",
        mend=_one_pair_of_brackets,
    ),
    Concession(
        Part.VALUE,
        slip='"Bob" sip:a@h;tag=1',
        read_as='"Bob" <sip:a@h>;tag=1',
        why="RFC 3261 §20.10 wants brackets behind a name; without, the parameters are the field's as well",
        mend=_in_brackets,
    ),
    Concession(
        Part.NAME,
        slip='Bob & "Co" (Sales) <sip:a@h>',
        read_as='"Bob & Co (Sales)" <sip:a@h>',
        why="the name leads nowhere; RFC 3261 §20.10 wants it in quotes",
        mend=_in_quotes,
    ),
    Concession(
        Part.URI,
        slip="< sip:a@h; lr >",
        read_as="<sip:a@h;lr>",
        why="RFC 4475 §3.1.2.14: may be read as if the blanks were not there",
        mend=_without_blanks,
    ),
    Concession(
        Part.URI,
        slip="<sip://h>",
        read_as="<sip:h>",
        why="RFC 3261 §19.1.1 knows no //, and no user or host begins with it",
        mend=_without_slashes,
    ),
    Concession(
        Part.URI,
        slip="<a@h>",
        read_as="<sip:a@h>",
        why="whoever speaks SIP without naming a scheme means it",
        mend=_with_scheme,
    ),
    Concession(
        Part.URI,
        slip='<sip:a@h;t="VG8+/PoI=">',
        read_as="<sip:a@h;t=VG8+/PoI%3D>",
        why="RFC 3261 §25.1: what a pvalue cannot hold is escaped, not quoted",
        mend=_without_quotes,
    ),
    Concession(
        Part.URI,
        slip="<sip:a@b@h>",
        read_as="<sip:a%40b@h>",
        why="RFC 3261 §19.1.1: an @ in the user part is escaped; the host is behind the last one",
        mend=_one_at,
    ),
    Concession(
        Part.URI,
        slip="<sip:@h>",
        read_as="<sip:h>",
        why="RFC 3261 §19.1.1: without a user the @ must be absent, and means nothing",
        mend=_without_empty_user,
    ),
    Concession(
        Part.URI,
        slip="<sip:a@h:>",
        read_as="<sip:a@h>",
        why="RFC 3986 §3.2.3: a port may be empty and is then the default one",
        mend=_without_empty_port,
    ),
    Concession(
        Part.URI,
        slip="<sip:a@h;;lr;>",
        read_as="<sip:a@h;lr>",
        why="RFC 3261 §19.1.1: each parameter has a name; none is named here",
        mend=_without_empty_parameters,
    ),
    Concession(
        Part.URI,
        slip="<sip:100% a@h>",
        read_as="<sip:100%25%20a@h>",
        why="RFC 3261 §19.1.2, RFC 3986 §2.4: these octets are escaped",
        mend=_escaped,
    ),
    Concession(
        Part.PARAMETERS,
        slip="<sip:a@h>;;tag=1;",
        read_as="<sip:a@h>;tag=1",
        why="RFC 3261 §25.1: a separator without a parameter; a row of them at the end is no value (RFC 4475 §3.1.2.1)",
        mend=_fewer_separators,
    ),
    Concession(
        Part.PARAMETERS,
        slip="<sip:a@h> x;q=;a b=c;tag=1",
        read_as="<sip:a@h>;q;tag=1",
        why="RFC 3261 §16.3 item 1: what is not needed and cannot be read is passed over",
        mend=_readable_ones,
    ),
)
"""All that is conceded. tests/sip/messages/test_lenient.py holds each against its example and its absence."""


def mended(part: Part, text: str) -> str:
    """``text``, which is that part of a value, without the slips of the table."""
    for concession in CONCESSIONS:
        if concession.part is part:
            text = concession.mend(text)
    return text


def elements(value: str) -> list[str]:
    """The elements of a list that are not empty."""
    return [one for one in split_values(value) if one]
