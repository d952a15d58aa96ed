"""Identifiers: their form, and that no random octet is used twice."""

from __future__ import annotations

import os
import re
import uuid

from reference_server.sip.identifiers import Identifiers

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TAG = re.compile(r"[0123456789aBcDeFgHjKmNpQrStUvXyZ]{13}")


def test_uuids_are_version_4_and_differ() -> None:
    identifiers = Identifiers(os.urandom)
    made = [identifiers.uuid() for _ in range(2000)]
    assert len(set(made)) == 2000
    for text in made:
        assert UUID.fullmatch(text)
        assert uuid.UUID(text).version == 4
        assert uuid.UUID(text).variant == uuid.RFC_4122
    assert {text[19] for text in made} == set("89ab")


def test_transaction_ids_look_like_uuids_and_differ() -> None:
    identifiers = Identifiers(os.urandom)
    made = [identifiers.transaction_id() for _ in range(5000)]
    assert len({text[20:] for text in made}) == 5000
    assert all(UUID.fullmatch(text) for text in made)
    rows = {text[:20] for text in made}
    assert len(rows) == 5, "a row is 1092 ids long"


def test_tags_and_branches() -> None:
    identifiers = Identifiers(os.urandom)
    made = [identifiers.tag() for _ in range(2000)]
    assert len(set(made)) == 2000
    assert all(TAG.fullmatch(tag) for tag in made)
    assert len(set("".join(made))) == 32
    branch = identifiers.branch()
    assert branch.startswith("z9hG4bK")
    assert TAG.fullmatch(branch[7:])


def test_every_octet_is_used_once() -> None:
    asked: list[int] = []

    def counted(count: int) -> bytes:
        asked.append(count)
        return os.urandom(count)

    identifiers = Identifiers(counted)
    for _ in range(1000):
        identifiers.uuid()
    assert sum(asked) >= 16_000
    assert len(asked) < 10, "the pool spares system calls"


def test_the_end_of_the_pool_is_not_cut_short() -> None:
    identifiers = Identifiers(os.urandom)
    assert {len(identifiers.tag()) for _ in range(3000)} == {13}
    assert {len(identifiers.uuid()) for _ in range(3000)} == {36}


def test_message_ids_of_one_connection_are_uuids_and_differ() -> None:
    identifiers = Identifiers(os.urandom)
    first, second = identifiers.message_ids(), identifiers.message_ids()
    made = [source.next() for _ in range(500) for source in (first, second)]
    assert len(set(made)) == 1000
    assert all(UUID.fullmatch(text) for text in made)


def test_message_ids_stay_uuids_when_the_count_begins_high() -> None:
    highest = Identifiers(lambda count: b"\xff" * count).message_ids()
    made = [highest.next() for _ in range(3000)]
    assert len(set(made)) == 3000
    assert all(UUID.fullmatch(text) for text in made)
