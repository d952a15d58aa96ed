"""Those who watch a server from outside, as far as they are configured: a capture server, Prometheus, and probes.

What none of them needs is not imported: a server without them needs neither their libraries nor their time.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from reference_server.config.model import CaptureConfiguration, Configuration, MetricsConfiguration
from reference_server.observe.log import Log
from reference_server.observe.scrape_door import Page, ScrapeDoor
from reference_server.server import Server, StartError


class Observation:
    """Puts the watchers of one server together::

    observation.begin(server)          # before it starts: they see everything
    await observation.open_door()      # when it has started
    await observation.end()            # when it has stopped
    """

    def __init__(
        self,
        configuration: Configuration,
        log: Log,
        *,
        mask: Callable[[str], str],
        ending: Callable[[], bool],
    ) -> None:
        """``mask`` hides what nobody shall read, ``ending`` says that the server is about to stop."""
        self._capture = configuration.capture
        self._metrics = configuration.metrics
        self._log = log
        self._mask = mask
        self._ending = ending
        self._close: list[Callable[[], None]] = []
        self._scrape_door: ScrapeDoor | None = None
        self.door = ""
        """``HOST:PORT`` where Prometheus may scrape, once it may"""

    def begin(self, server: Server) -> None:
        """Watch ``server``. Raises StartError."""
        if self._capture is not None:
            self._copy_messages(server, self._capture)
        if self._metrics is not None:
            self._count(server)

    async def open_door(self) -> None:
        """Let Prometheus and probes in. Raises StartError."""
        if self._metrics is None or self._scrape_door is None:
            return
        try:
            self.door = _hostport(*await self._scrape_door.start(self._metrics.host, self._metrics.port))
        except OSError as error:
            place, why = _place(self._metrics), error.strerror or error
            raise StartError(f"cannot listen for Prometheus on {place}: {why}") from error
        self._log.notice(f"Figures for Prometheus: http://{self.door}/metrics")

    async def end(self) -> None:
        """Send what waits, close everything."""
        if self._scrape_door is not None:
            await self._scrape_door.stop()
        for close in self._close:
            close()

    def _copy_messages(self, server: Server, capture: CaptureConfiguration) -> None:
        from reference_server.observe.hep import HepCapture

        copies = HepCapture(capture, server.taps.event, mask=self._mask)
        server.taps.add(copies)
        self._close.append(copies.close)
        self._log.notice(
            f"SIP messages are copied to udp/{_place(capture)} by HEP {capture.version} as agent {capture.agent_id}"
        )

    def _count(self, server: Server) -> None:
        try:
            from reference_server.observe.prometheus import CONTENT_TYPE, Exposition
        except ModuleNotFoundError as missing:
            raise StartError(
                f"figures for Prometheus need {missing.name}: pip install 'drachtio-conformance[metrics]'"
            ) from missing
        from reference_server.observe.figures import Figures

        figures = Figures()
        server.taps.add(figures)
        exposition = Exposition(figures, server)
        self._scrape_door = ScrapeDoor(
            {
                "/metrics": lambda: Page(exposition.page(), content_type=CONTENT_TYPE),
                "/healthz": lambda: Page(b"alive\n"),
                "/readyz": self._ready,
            }
        )

    def _ready(self) -> Page:
        return Page(b"ending\n", HTTPStatus.SERVICE_UNAVAILABLE) if self._ending() else Page(b"ready\n")


def _place(where: CaptureConfiguration | MetricsConfiguration) -> str:
    return _hostport(where.host, where.port)


def _hostport(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
