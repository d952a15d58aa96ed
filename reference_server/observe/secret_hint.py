"""One hint to whoever does not know of the default secret, when an application is refused for the first time."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.observe.log import Log


class SecretHint:
    """A tap that waits for the first refusal for a wrong secret while the secret is the default one."""

    def __init__(self, log: Log, is_default: Callable[[], bool]) -> None:
        """``is_default`` is asked at each refusal, since SIGHUP may bring another secret."""
        self._log = log
        self._is_default = is_default
        self._told = False

    def event(self, name: str, **details: str | int) -> None:
        """Hint once."""
        refused = name == "admin-refused" and details.get("reason") == "incorrect secret"
        if refused and not self._told and self._is_default():
            self._told = True
            self._log.notice(f"That application presents another secret than the default; {HOW}")


HOW = "--secret, DRACHTIO_SECRET or <admin secret> sets the one that applications must present"
