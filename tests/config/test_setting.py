"""One row of the table: a switch is written 1 or 0 in a variable, whatever it is elsewhere."""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.setting import Effect, Setting


def test_by_default_a_row_has_an_effect_and_no_names() -> None:
    row: Setting[object] = Setting(kind=values.TEXT, meaning="x")
    assert row.effect is Effect.NOW
    assert (row.path, row.option, row.letter, row.variable, row.default) == ("", "", "", "", "")


def test_the_variable_of_a_switch_is_a_flag_and_of_another_option_of_its_own_kind() -> None:
    switch: Setting[object] = Setting(kind=values.TEXT, meaning="x", option="noconfig")
    valued: Setting[object] = Setting(kind=values.PORT, meaning="x", option="port", argument="PORT")
    in_file_only: Setting[object] = Setting(kind=values.PORT, meaning="x", path="admin@port")
    assert switch.variable_kind is values.FLAG
    assert valued.variable_kind is in_file_only.variable_kind is values.PORT
