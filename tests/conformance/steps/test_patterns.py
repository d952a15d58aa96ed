"""Patterns and variables: what matches, what is captured, and how a pattern is broken."""

from __future__ import annotations

import pytest

from drachtio_conformance.peers.variables import UnknownVariable, Variables, octets, readable
from drachtio_conformance.steps.patterns import PatternError, counterexample, cut_tokens, describe, matches

UUID = "0b3a6c1e-5f0d-4c9e-8a77-3d1f2b4c5d6e"
KNOWN = {"m": "17", "phone.address": "127.0.0.1:5070", "bound": "x.y"}


@pytest.mark.parametrize(
    ("pattern", "actual"),
    [
        ("*", ""),
        ("*", "anything"),
        ("OK", "OK"),
        ("${m}", "17"),
        ("sip:bob@${phone.address}", "sip:bob@127.0.0.1:5070"),
        ("{uuid}", UUID),
        ("{time}", "16:06:41.114233"),
        ("{number}", "0"),
        ("{tag13}", "UmQ6D5yma6Svc"),
        ("{branch}", "z9hG4bKabc"),
        ("{bound}", "x.y"),
        ("<sip:{user}@h>;tag={tag13}", "<sip:bob@h>;tag=UmQ6D5yma6Svc"),
        ("~[0-9]+ms", "500ms"),
        ("~${bound}.*", "x.y and\r\nmore"),
        ("=*", "*"),
        ("={uuid}", "{uuid}"),
        ("", ""),
        ("Grüße", octets("Grüße")),
        ("NO", "NO"),
    ],
)
def test_it_matches(pattern: str, actual: str) -> None:
    assert matches(pattern, actual, Variables(KNOWN))


@pytest.mark.parametrize(
    ("pattern", "actual"),
    [
        ("OK", "OK "),
        ("OK", "ok"),
        ("${m}", "18"),
        ("{uuid}", UUID.upper()),
        ("{uuid}", UUID + "0"),
        ("{time}", "16:06:41"),
        ("{number}", ""),
        ("{number}", "-1"),
        ("{bound}", "x_y"),
        ("{new}", ""),
        ("~[0-9]+", "12a"),
        ("~${bound}", "xzy"),
        ("=*", "x"),
        ("", "x"),
        ("sip:*@h", "sip:bob@h"),
    ],
)
def test_it_does_not_match(pattern: str, actual: str) -> None:
    assert not matches(pattern, actual, Variables(KNOWN))


def test_a_placeholder_captures_and_then_compares() -> None:
    variables = Variables()
    assert matches("{txn:uuid}", UUID, variables)
    assert variables["txn"] == UUID
    assert matches("{txn}", UUID, variables)
    assert not matches("{txn}", "another", variables)


def test_a_name_twice_in_one_pattern_must_be_equal() -> None:
    assert matches("{a}-{a}", "x-x", Variables())
    assert not matches("{a}-{a}", "x-y", Variables())


def test_a_regular_expression_captures_and_compares_by_group() -> None:
    variables = Variables()
    assert matches("~(?P<host>[^:]+):5060", "h:5060", variables)
    assert variables["host"] == "h"
    assert not matches("~(?P<host>[^:]+):5060", "g:5060", variables)


@pytest.mark.parametrize("pattern", ["~(", "{a:nothing}"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        matches(pattern, "x", Variables())


def test_an_unknown_variable_names_those_that_are_known() -> None:
    with pytest.raises(UnknownVariable, match=r"\$\{q\} has no value here; known are .*phone.address"):
        matches("${q}", "x", Variables(KNOWN))


@pytest.mark.parametrize("pattern", ["OK", "{uuid}", "~.*OK.*", "{number}", "{new}", "", "=x"])
def test_a_counterexample_does_not_match(pattern: str) -> None:
    found = counterexample(pattern, "x", Variables())
    assert found is not None
    assert not matches(pattern, found, Variables())


@pytest.mark.parametrize("pattern", ["*", "~.*"])
def test_what_asserts_nothing_has_no_counterexample(pattern: str) -> None:
    assert counterexample(pattern, "x", Variables()) is None


def test_looking_for_a_counterexample_captures_nothing() -> None:
    variables = Variables()
    counterexample("{a}", "x", variables)
    assert variables.values == {}


def test_tokens_are_cut_at_bars_unless_they_are_a_list() -> None:
    assert cut_tokens("a||b|") == ["a", "", "b", ""]
    assert cut_tokens(["~a|b", "c"]) == ["~a|b", "c"]


def test_a_description_has_values_for_variables() -> None:
    assert describe("id ${m} {uuid}", Variables(KNOWN)) == "id 17 {uuid}"


def test_fresh_variables_differ_each_time() -> None:
    variables = Variables()
    assert variables.fill("${new.tag}") != variables.fill("${new.tag}")
    assert matches("{branch}", variables["new.branch"], variables)


def test_text_becomes_octets_once() -> None:
    variables = Variables({"name": octets("é")})
    assert variables.fill("ü${name}${auto}") == octets("üé") + "${auto}"
    assert readable(octets("üé")) == "üé"
    assert readable("\xff") == "�"
    assert readable("a\r\nb\rc\x00\x1b[2J\td") == "a\nb\\rc\\x00\\x1b[2J\td"
