"""``drachtio-reference-server``: read the configuration, start the server, say that it is ready, obey signals.

Status at the end: 0 stopped by SIGTERM or SIGINT (or nothing was to be started), 2 wrong usage or configuration,
3 the server could not start. SIGTERM frees the ports of connections and lets calls that are up end first, for as long
as ``--drain`` says; a second signal does not wait.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Sequence
from io import FileIO

from reference_server.config.completion import answer_a_shell
from reference_server.config.effective import effective_text
from reference_server.config.model import Configuration, LoggingConfiguration, LogLevel
from reference_server.config.reading import Reading, read
from reference_server.config.reference import help_text
from reference_server.core.ports import Tap
from reference_server.net.sockets.descriptors import descriptor_limit, raise_descriptor_limit
from reference_server.observation import Observation
from reference_server.observe.background import Background, missed_in
from reference_server.observe.credentials import without_credentials
from reference_server.observe.event_log import EventLog
from reference_server.observe.frames import ShownFrames
from reference_server.observe.json_lines import JsonLines
from reference_server.observe.jsonl import JsonlTrace, TraceFileError
from reference_server.observe.log import Console, Form, Lines, Log, LogSink
from reference_server.observe.log_file import LogFile, LogFileError
from reference_server.observe.secret_hint import HOW, SecretHint
from reference_server.observe.sip_trace import SipTrace
from reference_server.observe.stack_log import QUIET, StackLog
from reference_server.operation.daemon import detach, let_go_of_the_terminal
from reference_server.operation.pid_file import PidFile, PidFileError
from reference_server.operation.systemd import READY, STOPPING, notify, reloading
from reference_server.operation.user import User, UserError, become, user_named
from reference_server.reload import effective, told
from reference_server.server import VERSION, Server, StartError, tune_for_traffic
from reference_server.tls.certificates import CertificateError

PROGRAM = "drachtio-reference-server"

USAGE_STATUS = 2
START_STATUS = 3

_BETWEEN_COMPLAINTS = 10.0  # seconds; asyncio tells of a lack of descriptors a thousand times a second

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; ``argv`` is without the program's name. Returns the exit status."""
    answer_a_shell(os.environ)
    arguments = sys.argv[1:] if argv is None else list(argv)
    reading = read(arguments, os.environ)
    if reading.show_help:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(help_text(PROGRAM).encode(encoding, "replace").decode(encoding))
        return 0
    if reading.show_version:
        sys.stdout.write(f"{VERSION}\n")
        return 0
    for problem in reading.problems:
        _say(str(problem))
    if reading.configuration is None or reading.errors:
        return USAGE_STATUS
    if (new_loop := _loop_factory(reading.loop)) is None:
        _say("error: option --loop: expected a loop that is installed, got 'uvloop'")
        return USAGE_STATUS
    process = reading.configuration.process
    try:
        user = user_named(process.user) if process.user else None
    except UserError as reason:
        _say(f"error: {reason}")
        return USAGE_STATUS
    if reading.check:
        sys.stdout.write(effective_text(reading.sources))
        sys.stdout.write(_verdict(reading))
        return 0
    if process.daemon:
        if reading.configuration.logging.file is None:
            _say(
                "warning: option --daemon: no log file is configured, so nothing is logged in the background"
            )
        status = detach()
        if status is not None:
            return status
    raise_descriptor_limit()
    form: Form = JsonLines() if reading.configuration.logging.json else Lines()
    console = Background(_console(), missed=missed_in(form))
    try:
        log = _open_log(reading.configuration.logging, console, form)
    except LogFileError as reason:
        _say(f"error: {reason}")
        return START_STATUS
    if reading.configuration.logging.file is not None:
        for problem in reading.problems:
            log.warning(str(problem))
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(_Run(reading, log, console, arguments, user).serve())
    except KeyboardInterrupt:
        return 0
    finally:
        log.close()
        console.close()


class _Run:
    """One server from its start to its end."""

    def __init__(
        self, reading: Reading, log: Log, console: LogSink, arguments: Sequence[str], user: User | None
    ) -> None:
        assert reading.configuration is not None
        configuration = reading.configuration
        self._reading = reading
        self._configuration = configuration
        self._log = log
        self._console = console
        self._arguments = arguments
        self._mask = without_credentials if configuration.hide_credentials else str
        self._user = user
        self._reloading: asyncio.Task[None] | None = None
        self._sip_trace = SipTrace(self._log, self._mask)
        self._stack_level = configuration.logging.stack_level
        self._stack_log = StackLog(self._log, self._stack_level)
        self._next_complaint = 0.0
        self._stop = asyncio.Event()
        self._stop_at_once = asyncio.Event()
        self._observation = Observation(configuration, log, mask=self._mask, ending=self._stop.is_set)

    async def serve(self) -> int:
        """Serve until a signal ends it. Returns the exit status."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._internal_error)
        self._log.notice(f"Starting {PROGRAM} {VERSION}")
        self._log.notice(f"Logging threshold:                     {int(self._log.level)}")
        if self._reading.file is not None:
            self._log.notice(f"Configuration file:                    {self._reading.file}")
        if self._configuration.contacts == Configuration().contacts:
            self._log.notice("No SIP contact is given; SIP is awaited on 127.0.0.1 only")
        if self._secret_is_default():
            self._log.notice(f"The shared secret is the default, {self._configuration.admin.secret}; {HOW}")
        try:
            trace = self._open_trace()
        except TraceFileError as reason:
            return self._cannot_start(reason)
        server = Server(self._configuration, taps=self._taps(trace), advances=False)
        if server.emulation is not None:
            self._log.notice(server.emulation.warning)
        observation = self._observation
        process = self._configuration.process
        pid_file: PidFile | None = None
        try:
            try:
                observation.begin(server)
                await server.start()
                await observation.open_door()
                pid_file = PidFile(process.pid_file) if process.pid_file else None
                if self._user is not None:
                    become(self._user, process.pid_file, self._log_file_name())
            except (StartError, PidFileError, UserError) as reason:
                return self._cannot_start(reason)
            self._obey_signals(loop, server)
            tune_for_traffic()
            self._announce(server)
            if process.daemon:
                let_go_of_the_terminal()
            notify(READY, f"MAINPID={os.getpid()}")
            await self._stop.wait()
            notify(STOPPING)
            if self._reloading is not None:
                await self._reloading
            await self._drain(server.drain(self._configuration.process.drain))
            return 0
        finally:
            await server.stop()
            await observation.end()
            if pid_file is not None:
                pid_file.remove()
            if trace is not None:
                trace.close()

    def _log_file_name(self) -> str:
        file = self._configuration.logging.file
        return "" if file is None else file.name

    def _cannot_start(self, reason: Exception) -> int:
        """Say why, behind what the log has said already."""
        self._console.write(f"{PROGRAM}: error: {reason}\n".encode(errors="backslashreplace"), time.time())
        return START_STATUS

    def _open_trace(self) -> JsonlTrace | None:
        if not self._configuration.trace_file:
            return None
        return JsonlTrace(self._configuration.trace_file, VERSION, mask=self._mask)

    def _taps(self, trace: JsonlTrace | None) -> list[Tap]:
        taps: list[Tap] = [EventLog(self._log), SecretHint(self._log, self._secret_is_default)]
        if self._log.enabled(LogLevel.INFO):
            taps.append(self._sip_trace)
        if self._stack_level > QUIET:
            taps.append(self._stack_log)
        if trace is not None:
            taps.append(trace)
        if self._configuration.show_frames:
            encoding = sys.stderr.encoding or "utf-8"
            logged = self._log.enabled(LogLevel.INFO) and self._configuration.logging.on_console
            shown = ShownFrames(self._console, encoding=encoding, mask=self._mask, sip_is_shown=logged)
            taps.append(shown)
        return taps

    def _secret_is_default(self) -> bool:
        return self._configuration.admin.secret == Configuration().admin.secret

    def _announce(self, server: Server) -> None:
        """Print the ready line, the one thing that goes to standard output."""
        plain = [_hostport(*address) for address in server.admin_addresses]
        secure = [_hostport(*address) for address in server.admin_tls_addresses]
        sip = server.hostports
        ready = {"ready": True, "sip": sip, "pid": os.getpid(), "version": server.version}
        for key, addresses in (("admin", plain), ("adminTls", secure)):
            if addresses:
                ready[key] = addresses[0]
            if addresses[1:]:
                ready[f"{key}More"] = addresses[1:]
        admin = ", ".join([*plain, *(f"{address} with TLS" for address in secure)])
        if self._observation.door:
            ready["metrics"] = self._observation.door
        if server.faults:
            self._log.notice(f"Harm is done on purpose to applications: {server.faults}")
        self._log.notice(f"Ready: applications on {admin}, SIP on {', '.join(sip)}")
        try:
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
        except OSError:
            self._log.warning("nobody reads standard output, where the ready line goes")

    def _obey_signals(self, loop: asyncio.AbstractEventLoop, server: Server) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGHUP, self._read_again, server)

    def _end(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            self._log.notice(f"Received {number.name} again; ending at once")
            self._stop_at_once.set()
        else:
            self._log.notice(f"Received {number.name}; ending what is under way")
            self._stop.set()

    async def _drain(self, draining: Coroutine[object, object, object]) -> None:
        """Wait for the server to drain, or for the signal that ends the waiting."""
        tasks = {asyncio.ensure_future(draining), asyncio.ensure_future(self._stop_at_once.wait())}
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()

    def _read_again(self, server: Server) -> None:
        """SIGHUP, which comes again while the configuration is still being read, adds nothing."""
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.get_running_loop().create_task(self._reload(server))

    async def _reload(self, server: Server) -> None:
        """What can change while calls are up changes at once; of the rest the log says that it waits."""
        self._log.notice("Received SIGHUP; reading the configuration again")
        notify(reloading())
        try:
            await self._apply(server, read(self._arguments, os.environ))
        finally:
            notify(READY)

    async def _apply(self, server: Server, reading: Reading) -> None:
        for problem in reading.problems:
            self._log.error(str(problem))
        new, old = reading.configuration, self._configuration
        if new is None:
            self._log.error("nothing is changed; correct the configuration and send SIGHUP again")
            return
        try:
            waiting = await server.reconfigure(new)
        except CertificateError as reason:
            self._log.error(f"nothing is changed: {reason}; the former certificates stay")
            return
        except StartError as reason:
            self._log.error(f"nothing is changed: {reason}")
            return
        now = self._configuration = effective(old, new)
        if now.logging.level != self._log.level:
            self._log.level = now.logging.level
            if self._log.enabled(LogLevel.INFO):
                server.taps.add(self._sip_trace)
            else:
                server.taps.remove(self._sip_trace)
        if now.logging.stack_level != self._stack_level:
            self._stack_level = now.logging.stack_level
            server.taps.remove(self._stack_log)
            self._stack_log = StackLog(self._log, self._stack_level)
            if self._stack_level > QUIET:
                server.taps.add(self._stack_log)
        for line in told(old, now):
            self._log.notice(line)
        if server.has_certificates:
            self._log.notice("new connections over TLS get what key and certificate files hold now")
        if waiting:
            self._log.notice(f"changed, but in effect only after a restart: {', '.join(waiting)}")

    def _internal_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """An error that nothing has caught is a mistake of ours: logged, and the server goes on."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            if loop.time() >= self._next_complaint:
                self._next_complaint = loop.time() + _BETWEEN_COMPLAINTS
                self._log.error(f"connections have to wait: {error.strerror} (limit {descriptor_limit()})")
            return
        self._log.error(f"internal error, please report: {context.get('message')}: {error!r}")
        if isinstance(error, BaseException) and self._log.enabled(LogLevel.DEBUG):
            self._log.debug("".join(traceback.format_exception(error)))


def _verdict(reading: Reading) -> str:
    """What ``--check`` says of a configuration with which the server would start."""
    number = sum(problem.without_effect for problem in reading.problems)
    but = f", but for {number} setting{'s' if number > 1 else ''} without effect here" if number else ""
    return f"configuration ok{but}\n"


def _hostport(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _console() -> Console:
    """Standard error, without a buffer."""
    raw = FileIO(sys.stderr.fileno(), "w", closefd=False)
    return Console(raw, terminal=raw.isatty())


def _open_log(configuration: LoggingConfiguration, console: LogSink, form: Form) -> Log:
    """The log with its destinations. Raises LogFileError."""
    sinks: list[LogSink] = []
    if configuration.file is not None:
        file = LogFile(configuration.file, globally_readable=configuration.globally_readable)
        sinks.append(Background(file, missed=missed_in(form)))
    if configuration.on_console:
        sinks.append(console)
    log = Log(configuration.level, sinks, form=form)
    if configuration.syslog is not None:
        from reference_server.observe.syslog import Syslog, SyslogForm  # the default path needs none of it

        syslog = SyslogForm(configuration.syslog.facility)
        log.add(syslog, Syslog(configuration.syslog, syslog))
    return log


def _loop_factory(name: str) -> LoopFactory | None:
    """The loop of ``--loop``, or None if it is not installed."""
    if name != "asyncio":
        try:
            import uvloop
        except ImportError:
            return asyncio.new_event_loop if name == "auto" else None
        return uvloop.new_event_loop
    return asyncio.new_event_loop


def _say(text: str) -> None:
    """A line for the user on standard error."""
    sys.stderr.write(f"{PROGRAM}: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
