"""The rooms of the suite's engine: a test file for each module, and no function with a tail of nameless arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tools" / "drachtio_conformance"
TESTS = ROOT / "tests"

COVERED_BY = {
    "cases/case": "conformance/cases/test_loader.py",
    "cases/schema": "conformance/cases/test_vocabulary.py",
    "cases/yaml_nodes": "conformance/cases/test_loader.py",
    "cli/__main__": "conformance/cli/test_main.py",
    "cli/arguments": "conformance/cli/test_main.py",
    "cli/command_line": "conformance/cli/test_main.py",
    "cli/explain": "conformance/cli/test_main.py",
    "cli/server_command": "conformance/cli/test_main.py",
    "cli/shell_connection": "conformance/cli/test_shell.py",
    "cli/shell_terminal": "conformance/cli/test_shell.py",
    "cli/vectors": "conformance/cli/test_main.py",
    "data": "test_wheel.py",
    "engine/attempt": "conformance/engine/test_runner.py",
    "engine/emulated": "emulation/test_agreement.py",
    "engine/outcome": "conformance/report/test_reports.py",
    "engine/results": "conformance/report/test_reports.py",
    "engine/verdicts": "conformance/engine/test_runner.py",
    "peers/admin_peer": "conformance/peers/test_peers.py",
    "peers/callback_peer": "conformance/steps/test_http.py",
    "peers/channel": "conformance/peers/test_peers.py",
    "peers/door": "conformance/steps/test_listening.py",
    "peers/framing": "conformance/peers/test_secure_peers.py",
    "peers/recorder": "conformance/peers/test_peers.py",
    "peers/sip_compose": "conformance/peers/test_peers.py",
    "peers/sip_peer": "conformance/peers/test_peers.py",
    "peers/sip_transport": "conformance/peers/test_peers.py",
    "peers/stream_framing": "conformance/peers/test_peers.py",
    "peers/tls": "conformance/peers/test_secure_peers.py",
    "peers/transports": "conformance/peers/test_secure_peers.py",
    "peers/variables": "conformance/steps/test_patterns.py",
    "peers/websocket_framing": "conformance/peers/test_secure_peers.py",
    "replay/command": "replay/test_replay.py",
    "replay/conversion": "replay/test_replay.py",
    "replay/deviations": "replay/test_deviations.py",
    "replay/expected": "replay/test_replay.py",
    "replay/files": "replay/test_replay.py",
    "replay/learnt": "replay/test_learnt.py",
    "replay/order": "replay/test_replay.py",
    "replay/record": "replay/test_recordings.py",
    "replay/recordings": "replay/test_recordings.py",
    "replay/scenario": "replay/test_scenario.py",
    "replay/written": "replay/test_replay.py",
    "report/console": "conformance/report/test_reports.py",
    "report/html_page": "conformance/report/test_reports.py",
    "report/json_report": "conformance/report/test_reports.py",
    "report/junit": "conformance/report/test_reports.py",
    "report/ladder_svg": "conformance/report/test_reports.py",
    "report/markdown_text": "conformance/report/test_reports.py",
    "report/standard_output": "conformance/cli/test_main.py",
    "steps/absence": "conformance/engine/test_perform.py",
    "steps/answers": "conformance/engine/test_perform.py",
    "steps/application": "conformance/client/test_twins.py",
    "steps/application_frames": "conformance/client/test_twins.py",
    "steps/link": "conformance/client/test_twins.py",
    "targets/client": "conformance/client/test_client_command.py",
    "steps/connections": "conformance/engine/test_perform.py",
    "steps/control": "conformance/engine/test_perform.py",
    "steps/expect": "conformance/engine/test_perform.py",
    "steps/message_check": "conformance/steps/test_comparison.py",
    "steps/mutation": "conformance/steps/test_comparison.py",
    "steps/proof": "conformance/engine/test_runner.py",
    "steps/octets": "conformance/engine/test_perform.py",
    "steps/send": "conformance/engine/test_perform.py",
    "steps/sip_expect": "conformance/engine/test_perform.py",
    "steps/sip_send": "conformance/engine/test_perform.py",
    "steps/stage": "conformance/engine/test_perform.py",
    "steps/step": "conformance/cases/test_vocabulary.py",
    "steps/stories": "conformance/engine/test_runner.py",
    "steps/terms": "conformance/cases/test_vocabulary.py",
    "telephone/user_agent": "conformance/telephone/test_telephone.py",
    "targets/embedded": "conformance/engine/test_session.py",
    "targets/foreign": "conformance/engine/test_runner.py",
    "targets/settings": "conformance/cases/test_loader.py",
    "targets/target": "conformance/engine/test_runner.py",
}
"""Modules without a test file of their name, and the one that tests them."""


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def test_every_module_is_tested_in_a_known_place() -> None:
    for module in map(name, modules()):
        room, _, stem = module.rpartition("/")
        own = TESTS / "conformance" / room / f"test_{stem}.py"
        assert own.is_file() != (module in COVERED_BY), f"expected either {own} or a line in COVERED_BY"
        if module in COVERED_BY:
            assert (TESTS / COVERED_BY[module]).is_file(), module


def test_no_line_of_the_list_is_stale() -> None:
    assert set(COVERED_BY) <= {name(module) for module in modules()}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def test_from_the_fourth_argument_on_each_is_given_by_name() -> None:
    long = [
        f"{name(module)}: {function.name}({', '.join(positional(function))})"
        for module in modules()
        for function in functions(ast.parse(module.read_text("utf-8")))
        if len(positional(function)) > 3
    ]
    assert long == []


def test_each_room_says_what_lives_there() -> None:
    for room in (path for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()):
        assert ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))), room
