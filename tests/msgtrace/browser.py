"""Chromium without a window, driven over pipes (Chrome DevTools Protocol): opens a page, asks it, takes pictures."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_PATIENCE = 60.0
"""seconds"""


class Browser:
    """One page."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._held = b""
        self._number = 0
        self._session = ""
        self.problems: list[str] = []
        """what the page's console tells of errors, its policy included"""

    def open(self, path: Path, anchor: str = "") -> None:
        """Open a file and wait until it is loaded."""
        self.visit(path.as_uri() + anchor)

    def visit(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = str(self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Page.navigate", url=url)
        while self.run("document.readyState") != "complete":
            pass

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """Of the window, and whether the reader wants it dark."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        value = "dark" if dark else "light"
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def run(self, script: str) -> object:
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"])[:2000])
        result = answer["result"]
        assert isinstance(result, dict)
        return result.get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _PATIENCE
        while not self.run(script):
            assert time.monotonic() < end, script

    def press(self, key: str) -> None:
        """A key, as somebody types it."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if len(key) == 1 and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, **text)

    def click(self, selector: str) -> None:
        """In the middle of the first element that fits."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        assert isinstance(box, list)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def picture(self, path: Path) -> None:
        """Of what is in the window."""
        path.write_bytes(b64decode(str(self.ask("Page.captureScreenshot", format="png")["data"])))

    def ask(self, method: str, **parameters: object) -> dict[str, object]:
        """A command and its answer."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            got = self._next()
            if got.get("id") == self._number:
                assert "error" not in got, got
                result = got["result"]
                assert isinstance(result, dict)
                return result
            if got.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.problems.append(json.dumps(got["params"])[:500])
            elif got.get("method") == "Network.requestWillBeSent":
                self._requested(got)

    def _requested(self, got: dict[str, object]) -> None:
        parameters = got["params"]
        assert isinstance(parameters, dict)
        url = str(parameters["request"]["url"])
        if not url.startswith(("file:", "about:")):
            self.problems.append(f"asked for {url}")

    def _next(self) -> dict[str, object]:
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._read], [], [], _PATIENCE)
            assert ready, "the browser says nothing"
            data = os.read(self._read, 1 << 20)
            assert data, "the browser went away"
            self._held += data
        text, _, self._held = self._held.partition(b"\0")
        found: dict[str, object] = json.loads(text)
        return found


@contextmanager
def browser(folder: Path, *options: str, reach: str = "") -> Iterator[Browser]:
    """A browser with a profile of its own in ``folder``; it may connect to nothing but ``reach``, an address."""
    assert PROGRAM is not None
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    arguments = [
        *(PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"),
        *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
        f"--host-resolver-rules=MAP * ~NOTFOUND{f', EXCLUDE {reach}' if reach else ''}",
        *(f"--user-data-dir={folder / 'profile'}", *options, "about:blank"),
    ]
    # The pipes must be descriptors 3 and 4 of the browser.
    script = 'exec "$@" 3<&"$READ" 4>&"$WRITE"'
    with subprocess.Popen(
        ["bash", "-c", script, "bash", *arguments],
        pass_fds=(to_read, from_write),
        env={**os.environ, "READ": str(to_read), "WRITE": str(from_write), "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(to_read)
        os.close(from_write)
        opened = Browser(from_read, to_write)
        try:
            yield opened
        finally:
            process.terminate()
            process.wait()
            os.close(from_read)
            os.close(to_write)
