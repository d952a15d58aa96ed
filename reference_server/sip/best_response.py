"""Which of several failures a proxy passes on (RFC 3261 §16.7 steps 6 and 7).

The order is the genuine server's: a 6xx; then what the caller can mend: credentials, a media type, an extension, more
digits; another 4xx; a 3xx, which says where else one may try; a 5xx, of these a 503 last. Of equals the latest
counts; a response that somebody sent counts more than a time-out of ours.
"""

from __future__ import annotations

from reference_server.sip.messages.message import Response

_MENDABLE = frozenset({401, 407, 415, 420, 484})
CHALLENGES = frozenset({401, 407})
"""The statuses that ask for credentials (§22.2, §22.3)."""

_CHALLENGE_FIELDS = ("www-authenticate", "proxy-authenticate")


class BestResponse:
    """The best failure so far."""

    __slots__ = ("_challenged", "chosen")

    def __init__(self) -> None:
        self.chosen: Response | None = None
        """None while nobody has sent one"""
        self._challenged: list[Response] = []

    def consider(self, response: Response) -> None:
        """One more final response of 300 or above."""
        if response.status in CHALLENGES:
            self._challenged.append(response)
        if self.chosen is None or _rank(response.status) <= _rank(self.chosen.status):
            self.chosen = response

    def other_challenges(self) -> str:
        """Header lines of the challenges that the chosen 401 or 407 has not itself (§16.7 step 7), else nothing."""
        chosen = self.chosen
        if chosen is None or chosen.status not in CHALLENGES:
            return ""
        lines = [
            f"{'WWW' if name[0] == 'w' else 'Proxy'}-Authenticate: {value}\r\n"
            for response in self._challenged
            if response is not chosen
            for name in _CHALLENGE_FIELDS
            for value in response.all(name)
        ]
        return "".join(dict.fromkeys(lines))


def _rank(status: int) -> int:
    if status in _MENDABLE:
        return 1
    return {6: 0, 4: 2, 3: 3}.get(status // 100, 5 if status == 503 else 4)
