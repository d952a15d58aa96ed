"""The words of call detail records that applications are told of are those that the server writes."""

from __future__ import annotations

from protocol_book.facts import REASONS, ROLES
from reference_server.core.call_observer import Reason, Role


def test_every_reason_and_role_is_told_of() -> None:
    assert {word.word for word in REASONS} == {reason.value for reason in Reason}
    assert {word.word for word in ROLES} == {role.value for role in Role}
