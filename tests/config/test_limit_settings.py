"""Each limit is a setting of its own, whose default is that of the frozen value."""

from __future__ import annotations

import pytest

from reference_server.config.limit_settings import LIMITS
from reference_server.config.model import DEFAULT_LIMITS, LimitConfiguration
from reference_server.config.setting import Setting
from tests.config.test_reading import configured, problems


def changed(limits: LimitConfiguration) -> dict[str, object]:
    """What differs from the defaults."""
    return {
        name: getattr(limits, name)
        for name in limits.__struct_fields__
        if getattr(limits, name) != getattr(DEFAULT_LIMITS, name)
    }


@pytest.mark.parametrize("setting", LIMITS, ids=lambda setting: setting.option)
def test_each_changes_one_field_and_its_default_is_that_fields(setting: Setting[object]) -> None:
    assert list(changed(configured(f"--{setting.option}", "54321").limits).values()) == [54321]
    assert configured(f"--{setting.option}", setting.default).limits == DEFAULT_LIMITS


def test_no_two_change_the_same() -> None:
    fields = [next(iter(changed(configured(f"--{one.option}", "54321").limits))) for one in LIMITS]
    assert sorted(fields) == sorted(DEFAULT_LIMITS.__struct_fields__)


@pytest.mark.parametrize("setting", LIMITS, ids=lambda setting: setting.option)
def test_what_is_no_number_is_told_with_its_place(setting: Setting[object]) -> None:
    (told,) = problems(f"--{setting.option}", "many")
    assert told.startswith(f"error: option --{setting.option}: expected ")
    assert told.endswith("got 'many'")
