from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_load.scenarios import ScenarioError, find_scenario, load_scenarios, read_scenario

SCENARIOS = load_scenarios()


def test_the_scenarios_of_the_project_are_found() -> None:
    names = {scenario.name for scenario in SCENARIOS}
    assert {"reject", "answered", "answered_callee_bye", "cancel", "options", "message", "register"} <= names
    assert {"reinvite", "update", "early_media", "subscribe", "register_digest", "route_set"} <= names


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_says_what_it_is_and_how_to_run_it(scenario: object) -> None:
    found = next(known for known in SCENARIOS if known is scenario)
    comment = found.path.read_text().partition("-->")[0]
    assert found.about.endswith(".")
    assert f"sipp -sf sipp/{found.name}.xml " in comment
    assert f"drachtio-load run {found.name} " in comment


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match=r"expected a scenario of answered, .* got 'answerd'"):
        find_scenario("answerd")


def test_a_scenario_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.xml"
    path.write_text("<!-- Mine.\nMore. -->\n<scenario name='x'/>")
    assert find_scenario(str(path)).about == "Mine."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<scenario", "not well-formed XML"),
        ("<other/>", "expected <scenario>, got <other>"),
        ("", "not well-formed XML"),
    ],
)
def test_a_file_that_is_no_scenario(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.xml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=complaint):
        read_scenario(path)
