"""Builds the compiled server: a copy of the package whose hot modules mypyc has turned into C.

Before that they are rewritten, so that mypyc makes the most of them: Structs become plain classes (native.py) and
constants Final (constants.py); what it cannot compile stays Python in modules of its own (split.py).

The tree (``build/fast``) is complete in itself: the sources, the extension modules made of them, and a file that tells
of what it was made. It is used by putting it before the clone on the path; so the clone never holds a compiled module
that its sources have outgrown. :func:`is_fresh` tells whether the sources are still those.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

from fast_build.constants import make_final
from fast_build.native import STRUCTS, redirect_structs, write_out
from fast_build.split import python_only_classes, split

PACKAGE = "reference_server"
HOT = (
    "memo.py",
    "turn.py",
    "account.py",
    "sip",
    "wire",
    "core",
    "admin",
    "net/clock.py",
    "net/network.py",
    "net/udp.py",
)
"""What a basic call runs through: modules, and folders with all that is in them. Their classes must have one base, and
no heir outside of this list."""

LEFT_OUT = {
    "sip/messages/stream.py": "mypyc 2.4 knows no loop over a bytearray",
}
"""Files of these folders that stay Python, each with the reason."""

_MADE_OF = "made-of"
_STRUCTS = "native_structs"
_SETUP = """\
from mypyc.build import mypycify
from setuptools import setup

setup(name="fast", version="0", packages=[], ext_modules=mypycify({arguments!r}, opt_level="{level}", debug_level="0"))
"""
_NO_WARNINGS = "-Wno-all"
"""Of generated code nobody reads them, and to look for them takes the compiler seven times what it takes to compile."""
OPTIMISATION = 1
"""of the C compiler; with 3 it takes longer, and a call is cheaper by one per cent"""


class CannotCompile(Exception):
    """What is missing, or what the compilers said."""


def missing() -> str:
    """What this machine lacks to compile anything; empty if nothing."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    header = Path(sysconfig.get_path("include"), "Python.h")
    if shutil.which(compiler) is None:
        return f"a C compiler ({compiler})"
    if not header.is_file():
        return f"the headers of this Python ({header})"
    return ""


def made_of(root: Path) -> str:
    """One text that changes with the sources of the package, with this tool, and with the versions of what compiles."""
    digest = hashlib.sha256(f"{sys.version} mypy {version('mypy')}".encode())
    tool = Path(__file__).parent
    for folder in (root / PACKAGE, tool):
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"\n{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def is_fresh(root: Path, target: Path) -> bool:
    """Whether ``target`` holds what would be built of ``root`` now."""
    try:
        return (target / _MADE_OF).read_text() == made_of(root)
    except FileNotFoundError:
        return False


def build(root: Path, target: Path, level: int = OPTIMISATION) -> None:
    """Build ``root``'s package into ``target``, which appears complete or not at all. Raises CannotCompile."""
    if lacks := missing():
        raise CannotCompile(f"{lacks} is missing")
    now = made_of(root)
    making = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    try:
        shutil.copytree(root / PACKAGE, making / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
        modules = _prepare(making)
        _compile(making, modules, level)
        (making / _MADE_OF).write_text(now)
        shutil.rmtree(target, ignore_errors=True)
        making.rename(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def hot_modules(root: Path) -> list[Path]:
    """The files that are to be compiled."""
    found: list[Path] = []
    for name in HOT:
        path = root / PACKAGE / name
        found += [path] if path.suffix else sorted(path.rglob("*.py"))
    left_out = {root / PACKAGE / name for name in LEFT_OUT}
    return [path for path in found if path.name != "__init__.py" and path not in left_out]


def _prepare(tree: Path) -> list[str]:
    """Rewrite each hot module into what mypyc makes the most of; returns them, relative to ``tree``."""
    paths = hot_modules(tree)
    modules = {path: ast.parse(path.read_text()) for path in paths}
    write_out(modules.values())
    python_only = python_only_classes(modules.values())
    for path, module in modules.items():
        make_final(module)
        name = ".".join(path.relative_to(tree).with_suffix("").parts)
        halves = split(f"{ast.unparse(ast.fix_missing_locations(module))}\n", name, python_only)
        path.write_text(halves.rest)
        if halves.types:
            path.with_name(f"{path.stem}_types.py").write_text(halves.types)
    for path in (tree / PACKAGE).rglob("*.py"):
        module = ast.parse(path.read_text())
        if redirect_structs(module, PACKAGE, _STRUCTS):
            path.write_text(ast.unparse(module))
    (tree / PACKAGE / f"{_STRUCTS}.py").write_text(STRUCTS)
    return [str(path.relative_to(tree)) for path in paths]


def _compile(tree: Path, modules: list[str], level: int) -> None:
    arguments = ["--follow-imports=silent", *modules]
    (tree / "setup.py").write_text(_SETUP.format(arguments=arguments, level=level))
    flags = f"{os.environ.get('CFLAGS', '')} {_NO_WARNINGS}".strip()
    environment = {**os.environ, "PYTHONPATH": "", "MYPYPATH": "", "CFLAGS": flags}
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise CannotCompile(f"mypyc or the C compiler failed:\n{done.stdout[-4000:]}")
    shutil.rmtree(tree / "build")
    (tree / "setup.py").unlink()
