"""The configuration file: positions, unknown names, repetitions, and what is no configuration at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_server.config.document import SIZE_LIMIT, Document, read_document


def document(tmp_path: Path, content: str | bytes) -> Document:
    path = tmp_path / "d.xml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    result = read_document(path)
    result.problems = [
        type(p)(p.severity, p.place.replace(str(path), "d.xml"), p.text) for p in result.problems
    ]
    return result


def problems(tmp_path: Path, content: str | bytes) -> list[str]:
    return [str(problem) for problem in document(tmp_path, content).problems]


def within(body: str) -> str:
    return f"<drachtio>\n<admin>127.0.0.1</admin>\n{body}\n</drachtio>"


def test_values_come_with_their_place(tmp_path: Path) -> None:
    given = document(
        tmp_path, '<?xml version="1.0"?>\n<drachtio>\n <admin port="9000">::1</admin></drachtio>'
    ).given
    places = [(item.setting.path, item.text, item.place.partition("d.xml")[2]) for item in given]
    assert places == [("admin@port", "9000", ":3: <admin port>"), ("admin", "::1", ":3: <admin>")]


def test_comments_cdata_and_character_references_are_text(tmp_path: Path) -> None:
    text = "<cdrs>y<!-- e -->e<![CDATA[s]]></cdrs><logging><loglevel>inf&#111;</loglevel></logging>"
    given = {item.setting.path: item.text for item in document(tmp_path, within(text)).given}
    assert given["cdrs"] == "yes"
    assert given["logging/loglevel"] == "info"


def test_contacts_keep_their_attributes_apart(tmp_path: Path) -> None:
    text = '<sip><contacts><contact external-ip="1.1.1.1">a</contact><contact>b</contact></contacts></sip>'
    given = document(tmp_path, within(text)).given[1:]
    assert [(item.setting.path, item.text) for item in given] == [
        ("sip/contacts/contact@external-ip", "1.1.1.1"),
        ("sip/contacts/contact", "a"),
        ("sip/contacts/contact", "b"),
    ]
    assert given[0].element == given[1].element != given[2].element


def test_values_of_spammers_may_be_any_child(tmp_path: Path) -> None:
    text = (
        '<sip><spammers><header name="User-Agent"><value>a</value><other>b</other></header></spammers></sip>'
    )
    result = document(tmp_path, within(text))
    assert [item.text for item in result.given[1:]] == ["User-Agent", "a", "b"]
    assert result.problems == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "error: d.xml: expected XML with <drachtio> as the outermost element, the file is empty"),
        ("hello", "error: d.xml:1: expected well-formed XML: syntax error at column 1"),
        ("<drachtio>\n<admin>", "error: d.xml:2: expected well-formed XML: no element found at column 8"),
        ("<dractio/>", "error: d.xml:1: expected <drachtio> as the outermost element, got <dractio>"),
        ("<drachtio/>", "error: d.xml: expected an <admin> element"),
        (within("") + within(""), "error: d.xml:4: expected well-formed XML: junk after document element"),
        (
            within("<logging>a&b</logging>"),
            "expected well-formed XML: not well-formed (invalid token) at column 13",
        ),
        (within("<logging>a&b</logging>"), "(write a '&' as &amp;)"),
        (within('<sip a="1" a="2"/>'), "error: d.xml:3: expected well-formed XML: duplicate attribute"),
        (b"<drachtio>\xff</drachtio>", "error: d.xml:1: expected well-formed XML"),
        (
            '<?xml version="1.0" encoding="nonsense"?><drachtio/>',
            "error: d.xml:1: expected UTF-8 or another encoding",
        ),
        (
            within("<logging>&nonsense;</logging>"),
            "error: d.xml:3: expected well-formed XML: undefined entity",
        ),
        (
            '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">\n<!ENTITY b "&a;&a;&a;">]><drachtio>&b;</drachtio>',
            "error: d.xml:1: expected no declarations of entities, got one of 'a'",
        ),
        (
            b" " * (SIZE_LIMIT + 1),
            f"error: d.xml: expected a configuration file of at most {SIZE_LIMIT} bytes",
        ),
        (within("<logging>\n<file/></logging>"), "error: d.xml:4: <file>: expected a <name> in it"),
    ],
)
def test_what_is_no_configuration_is_one_error(tmp_path: Path, content: str | bytes, problem: str) -> None:
    found = problems(tmp_path, content)
    assert len(found) == 1
    assert problem in found[0]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    missing = read_document(tmp_path / "none.xml").problems
    assert [str(problem) for problem in missing] == [
        f"error: {tmp_path}/none.xml: cannot read the configuration file: No such file or directory"
    ]
    folder = read_document(tmp_path).problems
    assert [problem.text for problem in folder] == ["expected a configuration file, this is no file"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<timer/>", "warning: d.xml:3: <timer>: unknown element, ignored"),
        (
            "<sip><timmers/></sip>",
            "warning: d.xml:3: <timmers>: unknown element, ignored, did you mean <timers>?",
        ),
        ("<loglevel>x</loglevel>", "<loglevel>: unknown element, ignored, did you mean logging/loglevel?"),
        ("<sip><mtu-size>1</mtu-size></sip>", "warning: d.xml:3: <mtu-size>: unknown element, ignored"),
        ("<sip><contacts><x/></contacts></sip>", "warning: d.xml:3: <x>: unknown element, ignored"),
        (
            '<sip><contacts><contact externalip="x">sip:*</contact></contacts></sip>',
            "warning: d.xml:3: <contact externalip>: unknown attribute, ignored, did you mean external-ip?",
        ),
        ("<logging/>\n<logging/>", "warning: d.xml:4: <logging>: occurs again and is ignored"),
        (
            "<sip/>\n<sip><x/></sip>",
            "warning: d.xml:4: <sip>: occurs again and is ignored, the first one counts",
        ),
        (
            "<logging>info</logging>",
            "warning: d.xml:3: <logging>: expected elements only, its text is ignored",
        ),
        (
            "<sip><contact>sip:*</contact><contacts><contact>sip:*</contact></contacts></sip>",
            "warning: d.xml: <contacts> is ignored, because the old form <sip><contact> is present, too",
        ),
    ],
)
def test_what_is_left_aside_is_said_once(tmp_path: Path, body: str, problem: str) -> None:
    found = problems(tmp_path, within(body))
    assert len(found) == 1
    assert found[0].startswith(problem) or problem in found[0]


def test_what_is_inside_an_unknown_element_does_not_count(tmp_path: Path) -> None:
    result = document(
        tmp_path,
        within("<unknown><admin>1.2.3.4</admin><deeper><x/></deeper></unknown><logging><console/></logging>"),
    )
    assert [item.text for item in result.given] == ["127.0.0.1", ""]
    assert len(result.problems) == 1
