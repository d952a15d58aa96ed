"""What is done to SIP messages on their way out."""

from __future__ import annotations


class Sent:
    """Messages that go to the network."""

    def altered(self, text: str) -> str:
        """As the genuine server would send it."""
        return text


# Tested by tests/emulation/test_agreement.py.
