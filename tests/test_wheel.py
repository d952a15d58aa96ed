"""The wheel: what a user gets who has no clone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[1]


def built(source: Path, folder: Path) -> Path:
    """The wheel of ``source``, in ``folder``."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--quiet",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*command, "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel holds, far from the clone."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``module``'s main in an empty folder, with the wheel's packages before the clone's."""
    empty = unpacked.parent / "empty"
    empty.mkdir(exist_ok=True)
    code = (
        f"import sys, {module} as it; assert it.__file__.startswith({str(unpacked)!r}); sys.exit(it.main())"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
    )


def test_every_case_and_scenario_of_the_clone_is_in_the_wheel(unpacked: Path) -> None:
    for name, pattern in (
        ("scenarios", "**/*.yaml"),
        ("features", "*.feature"),
        ("sipp", "*.xml"),
        ("profiles", "*.yaml"),
        ("vectors", "*.json"),
    ):
        inside = unpacked / "drachtio_conformance" / "_data" / name
        here = {str(path.relative_to(ROOT / name)) for path in (ROOT / name).glob(pattern)}
        assert here
        assert {str(path.relative_to(inside)) for path in inside.glob(pattern)} == here


def test_it_is_typed(unpacked: Path) -> None:
    packages = {path.parent.name for path in unpacked.glob("*/__init__.py")}
    tools = {"msgtrace", "application_rules", "drachtio_conformance", "drachtio_load", "drachtio_testing"}
    assert packages == {"reference_server", *tools}
    assert {path.parent.name for path in unpacked.glob("*/py.typed")} == packages


def test_the_suite_runs_from_the_wheel(unpacked: Path) -> None:
    ended = run(unpacked, "drachtio_conformance.cli.main", "server", "--filter", "ping/**")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    explained = run(unpacked, "drachtio_conformance.cli.main", "explain", "FRAME-1")
    assert explained.stdout.startswith("FRAME-1 · A frame is a count")


def test_client_mode_runs_from_the_wheel(unpacked: Path) -> None:
    app = unpacked / "drachtio_conformance" / "_data" / "conformance_apps" / "python" / "app.py"
    options = ["client", "--filter", "answering/rejected/options", "--", sys.executable, str(app)]
    ended = run(unpacked, "drachtio_conformance.cli.main", *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_features_run_from_the_wheel(unpacked: Path) -> None:
    ended = run(unpacked, "drachtio_conformance.cli.main", "features", "ping")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout


def test_a_profile_comes_with_the_wheel(unpacked: Path) -> None:
    ended = run(
        unpacked, "drachtio_conformance.cli.main", "server", "--profile", "drachtio-0.9.9", "--filter", "ping"
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_callers_are_found_from_the_wheel(unpacked: Path) -> None:
    listed = run(unpacked, "drachtio_load.cli", "list")
    assert listed.returncode == 0, listed.stderr
    assert "answered " in listed.stdout


def test_the_server_needs_msgspec_and_nothing_else(unpacked: Path, tmp_path: Path) -> None:
    """No site-packages at all but msgspec: no uvloop, no YAML, no templates."""
    (tmp_path / "msgspec").symlink_to(Path(msgspec.__file__).parent)
    code = (
        f"import sys; sys.path[:0] = [{str(unpacked)!r}, {str(tmp_path)!r}]\n"
        "from reference_server.cli import main\n"
        "sys.exit(main(['--port', '0', '--contact', 'sip:127.0.0.1:0']))"
    )
    server = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    ready = server.stdout.readline()
    server.send_signal(signal.SIGTERM)
    _, complaints = server.communicate(timeout=15)
    assert ready, complaints
    assert json.loads(ready)["ready"] is True
    assert server.returncode == 0, complaints


def test_it_is_the_same_wherever_and_whenever_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of other ages and modes in other folders; only the commit's date is told."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    parts = {part.partition("/")[0] for part in (*wheel["packages"], *wheel["force-include"])}
    digests: set[str] = set()
    for name, age, mode in (("one", 1_500_000_000, 0o600), ("another place", 1_600_000_000, 0o644)):
        source = tmp_path / name
        for part in sorted(parts):
            shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / file, source)
        for path in source.rglob("*.*"):
            if path.is_file():
                path.chmod(mode)
                os.utime(path, (age, age))
        made = built(source, tmp_path / f"wheel of {name}")
        digests.add(hashlib.sha256(made.read_bytes()).hexdigest())
    assert len(digests) == 1
