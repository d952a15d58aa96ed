"""A browser as a phone: SIP.js in Chromium registers over WSS at a drachtio-srf application, is called, hangs up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.msgtrace.browser import Browser, browser
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import NodeApplication, Server
from tests.tls.openssl import Authority

ROOT = Path(__file__).parents[2]
PAGE = Path(__file__).with_name("browser_phone.html")
LIBRARY = ROOT / "node_modules" / "sip.js" / "lib"

# What a browser takes as an offer (RFC 8829 §5.8): with DTLS and ICE. Nobody is there to send or hear media.
OFFER = "\r\n".join(
    (
        *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0"),
        *("m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 127.0.0.1", "a=mid:0", "a=sendrecv", "a=rtcp-mux"),
        *("a=ice-ufrag:Jv4k", "a=ice-pwd:nqT7SyX0pGd4cWq1ZtB9mL3e", "a=setup:actpass"),
        f"a=fingerprint:sha-256 {':'.join(['5A'] * 32)}",
        *("a=rtpmap:0 PCMU/8000", ""),
    )
)


class _Pages(SimpleHTTPRequestHandler):
    """The page, and the library beside it."""

    def translate_path(self, path: str) -> str:
        path = path.partition("?")[0]
        if path == "/phone.html":
            return str(PAGE)
        return str(LIBRARY / path.removeprefix("/sip.js/"))

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def pages() -> Iterator[str]:
    """Where the page is served from: a file may not import modules."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=str(LIBRARY))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/phone.html"
        finally:
            server.shutdown()
            serving.join()


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    certificate, key = Authority(tmp_path_factory.mktemp("certificates")).signed("server.test")
    running = Server(
        *("--loglevel", "info", "--key-file", str(key), "--cert-file", str(certificate)),
        *("--contact", "sip:127.0.0.1:0;transport=ws", "--contact", "sips:127.0.0.1:0;transport=wss"),
    )
    yield running
    assert running.stop() == 0


class BrowserPhone:
    """The page in a browser."""

    def __init__(self, page: Browser) -> None:
        self.page = page

    def wait_for(self, event: str) -> None:
        """Until the page has seen it; what it has seen instead is told."""
        try:
            self.page.until(f"window.phone && phone.events.includes({json.dumps(event)})")
        except AssertionError:
            said = self.page.run("window.phone && JSON.stringify(phone.events)")
            raise AssertionError(f"expected {event}, got {said}; {self.page.problems}") from None

    def tell(self, what: str) -> None:
        """Press one of its buttons: ``hangup``, ``unregister``."""
        self.page.run(f"phone.{what}().then(() => true)")


@contextmanager
def registered(
    secure: Server, transport: str, folder: Path, *, aor: str, user: str
) -> Iterator[BrowserPhone]:
    """A browser that has opened the page, which registers."""
    options = (
        *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
        *("--ignore-certificate-errors", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"),
    )
    server = f"{transport}://127.0.0.1:{secure.sip_port(transport)}"
    with pages() as url, browser(folder, *options, reach="127.0.0.1") as page:
        wish = {"server": server, "aor": aor, "user": user, "password": "secret"}
        page.visit(f"{url}?{'&'.join(f'{name}={quote(value)}' for name, value in wish.items())}")
        yield BrowserPhone(page)


@pytest.mark.parametrize("transport", ["wss", "ws"])
def test_a_browser_registers_is_called_and_hangs_up(secure: Server, tmp_path: Path, transport: str) -> None:
    registrar = NodeApplication(APPLICATIONS / "register_digest.js", secure.admin_port)
    caller = NodeApplication(APPLICATIONS / "originate.js", secure.admin_port)
    try:
        with registered(secure, transport, tmp_path, aor="sip:1001@server.test", user="1001") as phone:
            (binding,) = registrar.wait_for_events("register", 1)
            assert (binding["username"], binding["right"]) == ("1001", True)
            phone.wait_for("registered")
            uri = str(binding["contact"]).partition("<")[2].partition(">")[0]
            assert ".invalid;transport=ws" in uri, "nobody can look it up: the way is its connection"
            assert caller.process.stdin is not None
            wish = {"do": "call", "id": "ring", "uri": uri, "sdp": OFFER, "wait": True}
            caller.process.stdin.write(json.dumps(wish) + "\n")
            caller.process.stdin.flush()
            phone.wait_for("answered")
            (answered,) = caller.wait_for_events("answered", 1)
            assert "UDP/TLS/RTP/SAVPF" in str(answered["sdp"])
            phone.tell("hangup")
            (destroyed,) = caller.wait_for_events("destroyed", 1)
            assert destroyed["method"] == "BYE"
            phone.wait_for("over")
            phone.tell("unregister")
            registrar.wait_for_events("register", 2)
            phone.wait_for("unregistered")
            assert not caller.events("failed")
    finally:
        registrar.stop()
        caller.stop()


def test_a_browser_with_a_wrong_name_is_not_registered(secure: Server, tmp_path: Path) -> None:
    registrar = NodeApplication(APPLICATIONS / "register_digest.js", secure.admin_port)
    try:
        with registered(secure, "wss", tmp_path, aor="sip:1002@server.test", user="1002") as phone:
            (refused,) = registrar.wait_for_events("register", 1)
            assert (refused["username"], refused["right"]) == ("1002", False)
            phone.wait_for("unregistered")
    finally:
        registrar.stop()
