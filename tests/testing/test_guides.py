"""The guides for testers, followed literally from an empty folder: what they show is what is run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from drachtio_conformance.telephone.acts import ACTS

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
_FILE = re.compile(r"^\*\*(\S+)\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def unpack(guide: str, folder: Path) -> list[str]:
    """Write the files of a guide to ``folder``; its commands."""
    text = (GUIDES / guide).read_text("utf-8")
    for name, content in _FILE.findall(text):
        (folder / name).write_text(content, "utf-8")
    return [line for block in _SHELL.findall(text) for line in block.strip().splitlines()]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder, with this environment's programs first, and its Node packages."""
    programs = Path(sys.executable).parent
    return subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "NODE_PATH": str(ROOT / "node_modules"),
            "PYTEST_ADDOPTS": "-p no:cacheprovider",
        },
        capture_output=True,
        text=True,
    )


def test_an_application_tested_from_an_empty_folder(tmp_path: Path) -> None:
    commands = unpack("test-your-application.md", tmp_path)
    assert "pytest" in commands
    done = run("pytest -n 2", tmp_path)
    assert "9 passed" in done.stdout, done.stdout + done.stderr


def test_without_pytest(tmp_path: Path) -> None:
    text = (GUIDES / "test-your-application.md").read_text("utf-8")
    program = text.partition("## Without pytest\n\n```python\n")[2].partition("```\n")[0]
    done = run(f"python -c {shlex.quote(program + 'import asyncio; asyncio.run(story())')}", tmp_path)
    first, *sentences = done.stdout.splitlines()
    assert first.startswith("127.0.0.1 "), done.stderr
    assert sentences == ["INVITE was answered 503 Service Unavailable"] * 2


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node here")
def test_the_same_in_node(tmp_path: Path) -> None:
    commands = unpack("test-your-application.md", tmp_path)
    installed = tmp_path / "node_modules" / "drachtio-test-server"
    installed.parent.mkdir()
    installed.symlink_to(ROOT / "packages" / "node-test-server")
    assert "node --test" in commands
    done = run("node --test", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"pass 1\b", done.stdout)


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node here")
def test_the_same_in_a_shell(tmp_path: Path) -> None:
    commands = unpack("test-your-application.md", tmp_path)
    assert "bash story.sh" in commands
    done = run("bash story.sh", tmp_path)
    *_, last = done.stdout.splitlines() or [""]
    assert json.loads(last)["sentence"] == "answered 200 OK; dialled 12; hung up after 0 s: 200 OK", (
        done.stderr
    )


def test_what_a_server_and_a_recording_say(tmp_path: Path) -> None:
    """The two commands at the end of the guide, with an application that routes in capitals between them."""
    *_, server, coverage = unpack("test-your-sdk.md", tmp_path)
    app = tmp_path / "app.py"
    app.write_text(app.read_text().replace('f"route|{verb}"', 'f"route|{verb.upper()}"'))
    story = f"""
    {server.partition("#")[0]} --port 0 --contact 'sip:127.0.0.1:0' > ready.json 2> log.txt &
    server=$!
    trap 'kill $server $app' EXIT
    while ! [ -s ready.json ]; do sleep 0.05; done
    port=$(python -c 'import json; print(json.load(open("ready.json"))["admin"].rpartition(":")[2])')
    DRACHTIO_HOST=127.0.0.1 DRACHTIO_PORT=$port DRACHTIO_SECRET=cymru python app.py &
    app=$!
    while ! grep -q 'APP-6.*PUBLISH' log.txt trace.jsonl; do sleep 0.05; done
    """
    run(story, tmp_path)
    assert "clause=APP-6" in (tmp_path / "log.txt").read_text()
    done = run(coverage, tmp_path)
    assert done.returncode == 1
    assert "APP-6     violated 8 of 16 times" in done.stdout


def acts_table() -> str:
    """The acts of telephones, as the guide shows them."""
    rows = ["| act | who | what |\n|---|---|---|\n"]
    for kind in ACTS:
        values = ", ".join(
            field.name if field.default is NODEFAULT else f"{field.name}={field.default:g}"
            for field in fields(kind)
        )
        who = "either" if len(kind.sides) == 2 else next(iter(kind.sides)).value
        meaning = (kind.__doc__ or "").strip().rstrip(".")
        rows.append(f"| `{kind.__name__}({values})` | {who} | {meaning} |\n")
    return "".join(rows)


def test_the_guide_shows_all_acts() -> None:
    text = (GUIDES / "test-your-application.md").read_text("utf-8")
    assert text.partition("<!-- acts -->\n")[2].partition("<!-- end of acts -->")[0] == acts_table()


def test_a_failure_shows_its_ladder(tmp_path: Path) -> None:
    unpack("test-your-application.md", tmp_path)
    test = tmp_path / "test_app.py"
    test.write_text(test.read_text().replace('call("carol").status == 486', 'call("carol").status == 200'))
    done = run("pytest -k carol", tmp_path)
    assert done.returncode == 1
    ladder = done.stdout.partition("drachtio: what crossed the wires")[2]
    assert "486 Busy Here" in ladder
    assert "authenticate" in ladder
    assert "app 1" in ladder


def test_an_sdk_tested_from_an_empty_folder(tmp_path: Path) -> None:
    commands = unpack("test-your-sdk.md", tmp_path)
    both, _, by_chance, one, two, in_ci, *_ = [line for line in commands if " client " in line]
    (compare,) = [line for line in commands if " compare " in line]
    done = run(both, tmp_path)
    assert "2 pass" in done.stdout, done.stdout + done.stderr
    done = run(by_chance, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"with random faults, seed \d+", done.stdout)
    done = run(f"{one}; {two}; {compare}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answering/rejected/options" in (tmp_path / "matrix.html").read_text()
    done = run(in_ci, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 pass, 1 known-failing" in done.stdout
    assert (tmp_path / "results.xml").is_file()


@pytest.mark.parametrize("guide", ["test-your-application.md", "test-your-sdk.md"])
def test_every_command_is_one_that_there_is(guide: str, tmp_path: Path) -> None:
    lines = [shlex.split(line, comments=True) for line in unpack(guide, tmp_path)]
    for command in {words[1] for words in lines if words[0] == "drachtio-conformance"}:
        assert run(f"drachtio-conformance {command} --help", tmp_path).returncode == 0
