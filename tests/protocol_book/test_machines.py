"""State machines."""

from __future__ import annotations

import pytest

from protocol_book import machines, suite
from protocol_book.machines import Machine

SPECIFICATION = suite.load()
each = pytest.mark.parametrize("machine", machines.MACHINES, ids=lambda machine: str(machine.name))


@each
def test_every_state_is_reached_and_every_clause_exists(machine: Machine) -> None:
    reached = {machine.states[0]}
    for _ in machine.states:
        reached |= {change.after for change in machine.changes if change.before in reached}
    assert reached == set(machine.states)
    assert {change.before for change in machine.changes} <= reached
    assert {change.clause for change in machine.changes} <= set(SPECIFICATION.clauses)


@each
def test_nothing_leads_out_of_the_end_but_a_new_beginning(machine: Machine) -> None:
    after = {change.after for change in machine.changes if change.before == machine.states[-1]}
    assert after <= {machine.states[0]}


@each
def test_a_drawing_has_all_states_in_order_and_a_row_for_each_change(machine: Machine) -> None:
    heading, *rows = machines.drawing(machine).rstrip("\n").split("\n")
    assert heading.split() == list(machine.states)
    assert len(rows) == len(machine.changes)
    for row, change in zip(rows, machine.changes, strict=True):
        assert change.event in row
