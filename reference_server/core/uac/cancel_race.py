"""A CANCEL of the application that meets a 2xx on its way (RFC 3261 §9.1, §13.2.2.4; OUT-11).

The call is up although nobody wants it. The 2xx is passed on and the application acknowledges it as any other; behind
that ACK the server hangs up, and shows the BYE. What a proxied INVITE's caller has cancelled: proxy/late_2xx.py.
"""

from __future__ import annotations

from reference_server.core.dialog.hang_up import Cause, hang_up
from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.uac.cancel import Cancelling


def accepted(usage: DialogUsage, cancelling: Cancelling) -> None:
    """A 2xx has confirmed ``usage``; ``cancelling`` knows whether the application had given its INVITE up."""
    if cancelling.unwanted:
        usage.hang_up_after_ack()


def acknowledged(dialogs: DialogTable, usage: DialogUsage) -> None:
    """The application's ACK has gone out: nothing keeps the call any more."""
    if usage.hangs_up_after_ack:
        hang_up(dialogs, usage, Cause.CANCEL_RACE)
