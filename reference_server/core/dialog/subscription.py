"""How long a subscription lives (RFC 6665 §4.1.2.1, §4.2.1.1; SUB-3): the usage of one ends when it has run out.

Each 2xx to a SUBSCRIBE begins the time anew, and a NOTIFY may say how much of it is left. Behind its end the usage
stays for 64·T1, in which the last NOTIFY may come.
"""

from __future__ import annotations

import re

from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.sip.deadline import Deadline
from reference_server.sip.messages.message import LONGEST_NUMBER

_DEFAULT_SECONDS = 3600
_LONGEST_SECONDS = 10**6
_LEFT = re.compile(r"(?:active|pending)\s*;(?:.*;)?\s*expires\s*=\s*(\d+)", re.IGNORECASE)


def keep_subscription(dialogs: DialogTable, usage: DialogUsage, expires: str) -> None:
    """(Re)start the life of a subscription; ``expires`` is the Expires of a 2xx, or of its SUBSCRIBE."""
    context = dialogs.context
    digits = expires.partition(";")[0].strip()
    seconds = int(digits[:LONGEST_NUMBER]) if digits.isdecimal() else _DEFAULT_SECONDS
    expiry = usage.expiry or Deadline(
        context.timers, context.monotonic, lambda: dialogs.end(usage, UsageEvent.EXPIRED)
    )
    usage.subscribe_until(expiry)
    if context.settings.defects.keeps_subscriptions:
        return
    expiry.move(min(seconds, _LONGEST_SECONDS) + context.timing.t1x64)


def heed_notify(dialogs: DialogTable, usage: DialogUsage, subscription_state: str) -> None:
    """A NOTIFY tells, by its Subscription-State, how many seconds are left, or does not (RFC 6665 §4.1.3)."""
    left = _LEFT.match(subscription_state)
    if left is not None:
        keep_subscription(dialogs, usage, left[1])


def says_terminated(subscription_state: str) -> bool:
    """Whether a NOTIFY with this Subscription-State is the last one (RFC 6665 §4.4.1)."""
    return subscription_state.lower().startswith("terminated")
