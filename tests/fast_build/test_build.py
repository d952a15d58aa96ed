"""The compiled server: it is fresh or it is built anew, and it passes the suite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fast_build import __main__ as command
from fast_build.build import CannotCompile, build, hot_modules, is_fresh, made_of, missing

ROOT = command.ROOT
LISTED = hot_modules(ROOT)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The package, to be changed."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "reference_server", tmp_path / "reference_server", ignore=ignored)
    return tmp_path


def test_what_is_to_be_compiled_exists() -> None:
    assert len(LISTED) > 100
    assert [path for path in LISTED if not path.is_file()] == []


def test_a_change_of_any_source_makes_it_stale(clone: Path) -> None:
    target = clone / "build"
    target.mkdir()
    assert not is_fresh(clone, target)
    (target / "made-of").write_text(made_of(clone))
    assert is_fresh(clone, target)
    with (clone / "reference_server" / "cli.py").open("a") as file:
        file.write("# changed\n")
    assert not is_fresh(clone, target)


def test_without_a_compiler_it_says_what_is_missing(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(clone))
    with pytest.raises(CannotCompile, match=r"a C compiler .* is missing"):
        build(clone, clone / "build")
    assert not (clone / "build").exists()


def test_the_command_says_where_it_is(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "ROOT", clone)
    monkeypatch.setattr(command, "TARGET", clone / "build" / "fast")
    (clone / "build" / "fast").mkdir(parents=True)
    (clone / "build" / "fast" / "made-of").write_text(made_of(clone))
    assert command.main() == 0
    assert capsys.readouterr().out == f"{clone / 'build' / 'fast'}\n"
    (clone / "build" / "fast" / "made-of").write_text("something else")
    monkeypatch.setenv("PATH", str(clone))
    assert command.main() == 1
    assert "a C compiler" in capsys.readouterr().err


@pytest.mark.skipif(bool(missing()), reason=f"{missing()} is missing")
@pytest.mark.timeout(600)
def test_the_suite_passes_against_the_compiled_server(tmp_path: Path) -> None:
    target = command.TARGET
    if not is_fresh(ROOT, target):
        target = tmp_path / "fast"
        build(ROOT, target, level=0)  # C means the same at each level, and this takes 40 s less
    path = os.pathsep.join(map(str, (target, ROOT, ROOT / "tools")))
    environment = {**os.environ, "PYTHONPATH": path}
    python = [sys.executable, "-P"]  # else the folder that it is started in comes first

    names = [".".join(module.relative_to(ROOT).with_suffix("").parts) for module in LISTED]
    files = (
        f"import {', '.join(names)}\nprint(*({', '.join(f'{name}.__file__' for name in names)},), sep='\\n')"
    )
    loaded = subprocess.run(
        [*python, "-c", files], env=environment, capture_output=True, text=True, check=True
    )
    assert [Path(line).suffix for line in loaded.stdout.splitlines()] == [".so"] * len(names)
    flow = "from reference_server.core.ports import Flow; print(Flow.__base__, type(Flow.transport).__name__)"
    described = subprocess.run(
        [*python, "-c", flow], env=environment, capture_output=True, text=True, check=True
    )
    assert described.stdout == "<class 'object'> getset_descriptor\n"  # no Struct, its fields in C

    suite = [*python, "-m", "drachtio_conformance.cli", "server", "--report", str(tmp_path / "report")]
    done = subprocess.run(suite, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
