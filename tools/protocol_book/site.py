"""``python -m protocol_book.site [FOLDER]``: the documents as a site that works from files, without server or network.

MkDocs with its theme Material builds it; here the documents are prepared for it. ``make site`` calls it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

from protocol_book import how_to, site_pages, suite
from protocol_book.site_pages import DOCS, Chapter
from protocol_book.suite import ROOT

ASSETS: Final = Path(__file__).resolve().parent / "site_assets"
BEGIN: Final = (
    "concepts",
    "an-sdk-in-an-hour",
    "test-your-sdk",
    "test-your-application",
    "test-without-docker",
    "faults",
    "request-handlers",
    "portable-clients",
)
LOOK_UP: Final = (
    "state-machines",
    "rules",
    "tokens",
    "failure-texts",
    "timers",
    "records",
    "glossary",
    "changes",
)

VERBS: Final = frozenset(
    f"guides/frames/{verb}.md" for verb in ("authenticate", "ping", "proxy", "remove_route", "route")
)
"""pages that are meant when somebody asks about such a word"""


class SiteFailed(RuntimeError):
    """MkDocs did not build the site; the message is its own."""


def build(target: Path) -> None:
    """Build the site into ``target``, which is replaced. Raises SiteFailed, BrokenLink."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        navigation = stage(work / "docs")
        (work / "mkdocs.yml").write_text(
            yaml.safe_dump(configuration(navigation, target), sort_keys=False), "utf-8"
        )
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
        done = subprocess.run(
            [*command, "--config-file", str(work / "mkdocs.yml")], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SiteFailed(done.stdout + done.stderr)


def stage(folder: Path) -> list[object]:
    """Write all pages below ``folder``; returns the navigation."""
    specification = suite.load()
    parts = site_pages.chapters((DOCS / "protocol.md").read_text("utf-8"))
    files = staged_files()
    where = site_pages.links(specification, parts, files)
    pages = {each.path: site_pages.chapter_page(each, specification, where) for each in parts}
    for source, path in files.items():
        text = source.read_text("utf-8")
        if path == "deviations.md":
            pages[path] = site_pages.deviations_page(text, where)
        elif path.endswith(".md"):
            pages[path] = _found(path) + site_pages.guide_page(text, source, path, where)
        else:
            pages[path] = text
    pages[site_pages.INDEX] = site_pages.index_page(specification, where)
    pages["assets/clauses.js"] = site_pages.addresses(where)
    for asset in ASSETS.iterdir():
        pages[f"assets/{asset.name}"] = asset.read_text("utf-8")
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return navigation(parts)


def _found(path: str) -> str:
    """How a page counts in the search, as MkDocs reads it at the head of a page."""
    if path == "traceability.md":
        return "---\nsearch:\n  exclude: true\n---\n\n"
    boost = 1.0
    if path == "guides/failure-texts.md":
        boost = 4
    elif path.startswith("guides/how-to/") or path in ("guides/changes.md", "guides/timers.md"):
        boost = 2
    elif (path.startswith("guides/frames/") and path not in VERBS) or path == "emulation.md":
        boost = 0.5
    elif path == "interop.md":  # its titles are those of cases: "how do I" finds them all
        boost = 0.1
    return f"---\nsearch:\n  boost: {boost:g}\n---\n\n"


def staged_files() -> dict[Path, str]:
    """The documents beside docs/protocol.md, and where they are on the site."""
    guides = DOCS / "guides"
    found = {
        DOCS / "deviations.md": "deviations.md",
        DOCS / "configuration.md": "configuration.md",
        DOCS / "emulation.md": "emulation.md",
        DOCS / "conformance-app.md": "conformance-app.md",
        DOCS / "interop.md": "interop.md",
        ROOT / "conformance_apps" / "python" / "app.py": "conformance-app.py",
        ROOT / "conformance_apps" / "python" / "drachtio.py": "drachtio.py",
        ROOT / "conformance_apps" / "node" / "app.js": "conformance-app.js",
        DOCS / "observability.md": "observability.md",
        DOCS / "traceability.md": "traceability.md",
        DOCS / "protocol.json": "protocol.json",
        DOCS / "protocol.schema.json": "protocol.schema.json",
        ROOT / "vectors" / "README.md": "vectors.md",
        ROOT / "tests" / "vectors" / "check.mjs": "check.mjs",
        guides / "README.md": "index.md",
    }
    for source in sorted((ROOT / "conformance_apps" / "go").glob("*.go")):
        found[source] = f"conformance-app-go/{source.name}"
    for source in sorted(guides.rglob("*")):
        kept = source.suffix in (".md", ".py", ".mjs") and source.name != "README.md"
        if kept and "__pycache__" not in source.parts:
            found[source] = f"guides/{source.relative_to(guides)}"
    return found


def navigation(parts: Sequence[Chapter]) -> list[object]:
    """The menu."""
    wire = [each for each in parts if each.part.startswith("1")]
    behind = [each for each in parts if each.part.startswith("2")]
    frames = sorted((DOCS / "guides" / "frames").glob("*.md"))
    return [
        {"Start": ["index.md", *(f"guides/{name}.md" for name in BEGIN)]},
        {"How do I …": [{each.title: f"guides/how-to/{each.name}.md"} for each in how_to.load()]},
        {
            "Specification": [
                {"Introduction": parts[0].path},
                {"All clauses": site_pages.INDEX},
                {"The wire protocol": [{each.title: each.path} for each in wire]},
                {"The SIP behaviour": [{each.title: each.path} for each in behind]},
                {"Deviations": "deviations.md"},
                {"The genuine server, emulated": "emulation.md"},
                {"Which case tests which clause": "traceability.md"},
            ]
        },
        {"Frames": [f"guides/frames/{each.name}" for each in frames]},
        {
            "Look up": [
                *(f"guides/{name}.md" for name in LOOK_UP),
                {"Test vectors": "vectors.md"},
                {"The conformance app": "conformance-app.md"},
                {"How client libraries fare": "interop.md"},
                {"Configuration of the reference server": "configuration.md"},
                {"Watching the reference server": "observability.md"},
            ]
        },
    ]


def configuration(navigation: list[object], target: Path) -> dict[str, object]:
    """mkdocs.yml; nothing in it is fetched from anywhere."""
    return {
        "site_name": "The drachtio admin protocol",
        "docs_dir": "docs",
        "site_dir": str(target.resolve()),
        "use_directory_urls": False,
        "theme": {
            "name": "material",
            "font": False,
            "features": [
                "navigation.tabs",
                "navigation.top",
                "navigation.footer",
                "search.highlight",
                "search.suggest",
                "content.code.copy",
                "toc.follow",
            ],
            "palette": [
                _palette("(prefers-color-scheme: light)", "default", "weather-night", "Dark"),
                _palette("(prefers-color-scheme: dark)", "slate", "weather-sunny", "Light"),
            ],
        },
        "extra": {"polyfills": ["assets/iframe-worker.js"], "generator": False},
        "extra_css": ["assets/extra.css"],
        "extra_javascript": ["assets/clauses.js", "assets/jump.js"],
        "plugins": [{"search": {"separator": r"[\s\u200b\-·|`:;,.()\"']+"}}, "offline"],
        "markdown_extensions": [
            "attr_list",
            "md_in_html",
            "tables",
            {"toc": {"permalink": True, "toc_depth": 2}},
            "pymdownx.superfences",
            {"pymdownx.highlight": {"use_pygments": True}},
        ],
        "validation": {"links": {"anchors": "warn", "not_found": "warn", "absolute_links": "warn"}},
        "nav": navigation,
    }


def _palette(media: str, scheme: str, icon: str, other: str) -> dict[str, object]:
    return {
        "media": media,
        "scheme": scheme,
        "primary": "indigo",
        "accent": "indigo",
        "toggle": {"icon": f"material/{icon}", "name": f"{other} colours"},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 0, or 1 when the site cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m protocol_book.site", description=__doc__)
    parser.add_argument("folder", nargs="?", default="build/site", type=Path, help="default: build/site")
    target: Path = parser.parse_args(arguments).folder
    if target.is_dir():
        shutil.rmtree(target)
    try:
        build(target)
    except (SiteFailed, site_pages.BrokenLink) as error:
        sys.stderr.write(f"the site was not built:\n{error}\n")
        return 1
    sys.stdout.write(f"{target / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
