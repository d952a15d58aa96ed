"""Has every client library of conformance_apps judged and writes docs/interop.md; ``.ci/interop`` runs it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from drachtio_conformance.cli.main import main
from tests.conformance.client.reference_app import ROOT
from tests.conformance.client.shipped_apps import APPS

PAGE = ROOT / "docs" / "interop.md"


def write(page: Path = PAGE, *options: str) -> int:
    """Write the page; the exit code is that of ``compare``. ``options`` are those of client mode.

    Raises SystemExit where a program is missing, or a client fails where it is not known to.
    """
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for number, app in enumerate(APPS):
            if app.missing:
                raise SystemExit(f"{app.name}: {app.missing}")
            output = Path(folder) / str(number)
            output.mkdir()
            report = output / "report.json"
            if code := app.judge(app.built(output), "--json", str(report), *options):
                raise SystemExit(f"{app.name}: client mode ended with {code}")
            columns.append(f"{app.name}={report}")
        title = ["--title", "Interop: client libraries"]
        return main(["compare", *columns, *title, "--markdown", str(page)])


if __name__ == "__main__":
    raise SystemExit(write())
