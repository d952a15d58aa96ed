"""What is known about a peer (``--profile NAME`` or ``FILE``)::

    name: drachtio-0.9.5          # whose known defects the cases' own expect_under and danger are about
    features: [cdrs]              # a case that requires a feature which is not listed is not applicable
    known_failing:
      ping/basic/answered:        # it fails at this check, and this comes there; anything else is news
        reason: answers in capitals
        at: expect 1
        got: "token 4: PONG"
    danger:
      framing/limits/over-16-MiB: never reads the connection again
    not_applicable:
      network/names/localhost: its own name is another
    configured: {request-handler: GET}    # it runs with these settings: only cases that need just these apply
    handler: 127.0.0.1:8080       # where its request handler is, which the cases play

The features are the words that cases require. Those of the suite: ``ipv6``, ``tls``, ``ws`` and ``wss`` (a SIP
endpoint of that kind), ``admin_tls`` (an admin port by TLS: ``--admin tls://HOST:PORT``), ``cdrs`` (call detail records
are switched on), ``request_handlers`` (the server asks callbacks) and ``outbound_connections`` (it connects to
applications). The profiles in ``profiles/`` come with the suite.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field

from drachtio_conformance import data
from drachtio_conformance.cases.case import Case, ExpectUnder
from drachtio_conformance.cases.loader import LoadError, Reader, Under, compose, misfit
from drachtio_conformance.cases.selection import near
from drachtio_conformance.targets.settings import ServerSettings


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a peer is and can do (``--profile FILE``)."""

    name: str = ""
    """selects the ``expect_under`` and ``danger`` entries of cases: ``drachtio-0.9``"""
    version: str = ""
    """overrides the version of the authenticate reply"""
    features: list[str] | None = None
    """declared features; a case that requires another is not applicable. Without the key everything is declared"""
    known_failing: dict[str, Under] = field(default_factory=dict)
    """case name to what this peer does instead: reason, the check that fails (``at``) and what comes there (``got``)"""
    danger: dict[str, str] = field(default_factory=dict)
    """case name to why it must not run against this peer"""
    not_applicable: dict[str, str] = field(default_factory=dict)
    """case name to why it says nothing about this peer"""
    configured: ServerSettings | None = None
    """the settings of ``server:`` in cases that the peer runs with; other cases do not apply then"""
    handler: str = ""
    """``HOST:PORT`` of its request handler, which the cases play, if it is configured with one"""

    @property
    def handler_address(self) -> tuple[str, int] | None:
        """Host and port of ``handler``."""
        host, _, port = self.handler.rpartition(":")
        return (host.strip("[]"), int(port)) if host else None

    def expected(self) -> dict[str, ExpectUnder]:
        """What this peer does instead, by case name."""
        return {
            name: ExpectUnder(reason=one.reason, at=one.at, got=one.got)
            for name, one in self.known_failing.items()
        }


FEATURES = (
    *("admin_tls", "cdrs", "ipv6", "outbound_connections", "request_handlers"),
    *("tls", "ws", "wss"),
)
"""what cases of the suite require"""


class ProfileError(ValueError):
    """The profile cannot be used; the message names the file and what is wrong."""


def shipped() -> list[str]:
    """The names of the profiles that come with the suite."""
    return sorted(path.stem for path in data.folder("profiles").glob("*.yaml"))


def load_profile(name: str, cases: Sequence[Case], *, strict: bool = True) -> Profile:
    """Read the profile of that name that comes with the suite, or a file.

    It may declare :data:`FEATURES` and those that ``cases`` require; what it says of cases must be possible. What it
    says of other cases is an error, too, unless ``strict`` is false: then ``cases`` are not all there are.
    Raises ProfileError.
    """
    path = data.folder("profiles") / f"{name}.yaml" if name in shipped() else Path(name)
    try:
        text = path.read_text("utf-8")
        profile = Reader(str(path)).typed(compose(text, str(path)), Profile) if text.strip() else Profile()
    except OSError as error:
        there = f"; with the suite come {', '.join(shipped())}" if "/" not in name else ""
        raise ProfileError(f"{path}: {error.strerror}{there}") from None
    except UnicodeDecodeError:
        raise ProfileError(f"{path}: not UTF-8") from None
    except LoadError as error:
        raise ProfileError(f"{error}; a profile has {', '.join(Profile.__struct_fields__)}") from None
    _check_handler(path, profile)
    known = sorted({*FEATURES, *(feature for case in cases for feature in case.requires)})
    for feature in profile.features or ():
        if feature not in known:
            raise ProfileError(f"{path}: expected features of {', '.join(known)}, got '{feature}'")
    _check_names(path, profile, {case.name: case for case in cases}, strict=strict)
    return profile


def _check_handler(path: Path, profile: Profile) -> None:
    """Where it is, is said if there is one, and only then. Raises ProfileError."""
    asks = profile.configured is not None and profile.configured.request_handler is not None
    if asks != bool(profile.handler):
        raise ProfileError(
            f"{path}: expected configured: {{request-handler: …}} and handler: HOST:PORT together"
        )
    host, _, port = profile.handler.rpartition(":")
    if profile.handler and not (host and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        raise ProfileError(f"{path}: handler: expected HOST:PORT, got '{profile.handler}'")


def _check_names(path: Path, profile: Profile, cases: dict[str, Case], *, strict: bool) -> None:
    """Everything that a profile says of a case can be true. Raises ProfileError."""
    for key, listed in (
        ("known_failing", profile.known_failing),
        ("danger", profile.danger),
        ("not_applicable", profile.not_applicable),
    ):
        for name in listed:
            if strict and name not in cases:
                raise ProfileError(f"{path}: {key}: no case is called '{name}'{near(name, cases)}")
    for name, expected in profile.expected().items():
        if name not in cases:
            continue
        problem = misfit(expected, cases[name].steps)
        if profile.known_failing[name].steps or problem:
            raise ProfileError(f"{path}: known_failing: {name}: {problem or 'expected reason, at and got'}")
