"""docs/protocol.md says the truth about itself: counts of frames, references, and the cases behind its clauses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from drachtio_conformance.cases import loader, specification
from msgtrace import frames, messages

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text("utf-8")
SPECIFICATION = specification.load(ROOT / "docs")
_SYMBOLS = str.maketrans({"⏎": "\r\n", "␊": "\n", "␀": "\0"})
_PREFIXES = ("C: ", "S: ", "C! ", "N> ", "N< ", "H> ", "H< ")
_CONTENT_LENGTH = re.compile(rb"\r\n(?:Content-Length|l): (\d+)")
"""of a message of the server or the network; an application's own says nothing (FRAME-18)"""


class Shown(Struct, frozen=True):
    """One message of an example."""

    line: int
    prefix: str
    octets: bytes


def shown_messages() -> Iterator[Shown]:
    """Every message of every example; CR LF, a lone LF and NUL are written as symbols, line breaks are layout."""
    fenced, prefix, start, text = False, "", 0, ""

    def finished() -> Iterator[Shown]:
        if prefix:
            yield Shown(start, prefix, text.translate(_SYMBOLS).encode())

    for number, line in enumerate(DOCUMENT.splitlines(), 1):
        if line.startswith("```"):
            yield from finished()
            fenced, prefix = not fenced, ""
        elif not fenced:
            continue
        elif line.startswith(_PREFIXES):
            yield from finished()
            prefix, start, text = line[:3], number, line[3:]
        elif line.startswith("("):
            yield from finished()
            prefix = ""
        else:
            text += line.removeprefix("   ")
    yield from finished()


UNSENT = ("CALL-18", "OUT-6", "OUT-8", "OUT-13", "OUT-23", "NET-1", "NET-2", "NET-11", "REL-7")
"""The clauses about messages that never were on the wire."""
MESSAGES = list(shown_messages())
FRAMES = [message for message in MESSAGES if message.prefix in ("C: ", "S: ")]
LENGTHS = [
    message for message in FRAMES if re.search(rb"\|(OK|sip)\|(application|network)\|", message.octets)
]
COUNTED = [
    message for message in MESSAGES if message.prefix != "C: " and _CONTENT_LENGTH.search(message.octets)
]


def where(message: Shown) -> str:
    return f"line-{message.line}"


def test_there_are_examples() -> None:
    assert len(FRAMES) > 100
    assert len(LENGTHS) > 50
    assert len(COUNTED) > 100


def test_a_frame_is_exactly_as_long_as_it_says() -> None:
    for message in FRAMES:
        count, _, payload = message.octets.partition(b"#")
        old = SPECIFICATION.clauses["VER-5"].example.encode()
        in_code_points = message.prefix == "S: " and count + b"#" in old and message.octets[:60] in old
        assert int(count) == (len(payload.decode()) if in_code_points else len(payload)), where(message)


def test_a_frame_decodes_as_what_its_side_sends() -> None:
    for message in (item for item in FRAMES if item.octets != b"0#"):
        payload = message.octets.decode("latin-1").partition("#")[2]
        from_server = message.prefix == "S: "
        decoded = messages.decode(payload, from_server=from_server)
        assert decoded.from_server or not from_server, where(message)
        if from_server:
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", decoded.id), where(message)
            assert decoded.kind is not messages.MessageKind.UNKNOWN, where(message)


def test_the_length_token_counts_the_sip_message() -> None:
    for message in LENGTHS:
        payload = message.octets.partition(b"#")[2]
        meta, _, sip = payload.partition(b"\r\n")
        tokens = meta.split(b"|")
        said = int(tokens[3] if tokens[1] == b"sip" else tokens[5])
        if said == 0:  # not sent, or not yet, or made by the server itself
            clauses = [
                name for name in UNSENT if message.octets[:40].decode() in SPECIFICATION.clauses[name].example
            ]
            assert clauses, where(message)
            continue
        received_request = tokens[2] == b"network" and not sip.startswith(b"SIP/2.0")
        added = re.search(rb"(;rport=\d+)(;received=[0-9.]+)?", sip) if received_request else None
        assert said == len(sip) - (len(added[0]) if added else 0), where(message)


def test_content_length_is_right() -> None:
    for message in COUNTED:
        head, _, body = message.octets.partition(b"\r\n\r\n")
        found = _CONTENT_LENGTH.search(head)
        assert found is not None, where(message)
        assert int(found[1]) == len(body), where(message)


def test_what_is_shown_as_wrong_is_wrong() -> None:
    for message in MESSAGES:
        if message.prefix == "C! " and not message.octets.startswith(b"0"):
            found = list(frames.decode(message.octets))
            assert not (len(found) == 1 and isinstance(found[0], frames.Frame)), where(message)


def test_references_to_clauses_and_deviations_exist() -> None:
    families = {clause.family for clause in SPECIFICATION.clauses.values()}
    text = re.sub(r"Numbers that were never given: .*?\(", "", DOCUMENT, flags=re.DOTALL)
    for name in re.findall(r"\b([A-Z]+-\d+)\b", text):
        if name.startswith("DEV-"):
            assert name in SPECIFICATION.deviations
        elif name.rpartition("-")[0] in families:
            assert name in SPECIFICATION.clauses


def test_a_remark_about_the_genuine_server_names_a_deviation_of_its_clause() -> None:
    for clause in SPECIFICATION.clauses.values():
        own = {deviation.id for deviation in SPECIFICATION.deviations_of(clause.id)}
        section = DOCUMENT.partition(f"### {clause.id} ")[2].partition("\n###")[0]
        named = set(re.findall(r"\[(DEV-\d+)\]", section))
        assert named <= own, clause.id


def test_every_deviation_is_mentioned_where_its_clause_stands() -> None:
    mentioned = set(re.findall(r"\[(DEV-\d+)\]", DOCUMENT))
    assert set(SPECIFICATION.deviations) == mentioned


def test_every_clause_has_a_case_and_every_case_known_clauses() -> None:
    tested: set[str] = set()
    for case in [*loader.load([ROOT / "scenarios"]), *loader.load([ROOT / "client_scenarios"])]:
        unknown = set(case.clauses) - set(SPECIFICATION.clauses)
        assert not unknown, f"{case.source}: {sorted(unknown)}"
        tested |= set(case.clauses)
    untested = {name for name, clause in SPECIFICATION.clauses.items() if not clause.untestable} - tested
    assert not untested


@pytest.mark.parametrize(("party", "folder"), [("server", "scenarios"), ("application", "client_scenarios")])
def test_each_side_has_cases_of_its_own(party: str, folder: str) -> None:
    """A clause that binds both is no better for a case that tries the other side only."""
    tried = {name for case in loader.load([ROOT / folder]) for name in case.clauses}
    bound = {
        name
        for name, clause in SPECIFICATION.clauses.items()
        if clause.party in (party, "both") and not clause.untestable
    }
    assert sorted(bound - tried) == []


def test_what_a_case_allows_the_genuine_server_is_a_deviation_from_one_of_its_clauses() -> None:
    for case in loader.load([ROOT / "scenarios"]):
        for reason in [*(under.reason for under in case.expect_under.values()), *case.danger.values()]:
            named = set(re.findall(r"DEV-\d+", reason))
            assert named <= set(SPECIFICATION.deviations), f"{case.source}: {reason}"
            about = {clause for name in named for clause in SPECIFICATION.deviations[name].clauses}
            assert about & set(case.clauses), f"{case.source}: {reason}"


@pytest.mark.parametrize("folder", ["reference_server", "tools", "features"])
def test_clauses_cited_in_the_code_exist(folder: str) -> None:
    families = {clause.family for clause in SPECIFICATION.clauses.values()}
    wrong: list[str] = []
    for file in sorted((ROOT / folder).rglob("*.py")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            for family, name in re.findall(r"\b(([A-Z]+)-\d+)\b", line):
                if name in families and family not in SPECIFICATION.clauses:
                    wrong.append(f"{file.relative_to(ROOT)}:{number}: {family}")
    assert not wrong


def test_the_table_of_families_leads_to_every_chapter() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \| (\[.+?\)) \|", DOCUMENT, re.MULTILINE)
    listed = [(family, title) for family, links in rows for title in re.findall(r"\[(.+?)\]", links)]
    chapters = {(clause.family, clause.section) for clause in SPECIFICATION.clauses.values()}
    assert sorted(listed) == sorted(chapters)
    for title, anchor in re.findall(r"\[([^]]+)\]\(#([a-z0-9-]+)\)", "".join(links for _, links in rows)):
        assert anchor == re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-")


def test_every_title_is_there_once() -> None:
    titles = [clause.title for clause in SPECIFICATION.clauses.values()]
    assert [title for title, number in Counter(titles).items() if number > 1] == []
    assert [title for title in titles if title.endswith(".")] == []


def test_a_number_that_no_clause_has_is_explained() -> None:
    said = DOCUMENT.partition("Numbers that were never given: ")[2].partition("(")[0]
    explained = {
        f"{family}-{number}"
        for family, first, last in re.findall(r"([A-Z]+)-(\d+) to [A-Z]+-(\d+)", said)
        for number in range(int(first), int(last) + 1)
    }
    missing = {
        f"{family}-{number}"
        for family, clauses in SPECIFICATION.families().items()
        for number in range(1, clauses[-1].number)
    } - set(SPECIFICATION.clauses)
    assert missing == explained


def test_the_wire_protocol_comes_before_the_sip_behaviour() -> None:
    parts = re.findall(r"^# (.+)$", DOCUMENT, re.MULTILINE)
    assert parts == ["The drachtio admin protocol", "Part 1: The wire protocol", "Part 2: The SIP behaviour"]
    wire = DOCUMENT.partition("\n# Part 1: ")[2].partition("\n# Part 2: ")[0]
    families = [family for family in SPECIFICATION.families() if f"\n### {family}-1 " in wire]
    assert families == list(SPECIFICATION.families())[: len(families)]


def test_deviations_are_grouped_by_the_family_of_their_first_clause() -> None:
    text = (ROOT / "docs" / "deviations.md").read_text("utf-8")
    for table in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| (DEV-\d+) ", table, re.MULTILINE)
        families = {SPECIFICATION.deviations[row].clauses[0].rpartition("-")[0] for row in rows}
        assert len(families - {"RROUTE"}) <= 1, table.splitlines()[0]
        numbers = [int(row.removeprefix("DEV-")) for row in rows]
        assert numbers == sorted(numbers), table.splitlines()[0]
