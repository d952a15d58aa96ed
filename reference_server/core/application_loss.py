"""What becomes of an application's requests and calls when its connection ends (CONN-3, CONN-4, CONN-6).

What it had not answered gets 480 at once, a BYE 200; its own INVITEs are cancelled. Its calls stay, owned by nobody,
until another application uses their ids, or end with a BYE if that is configured; a 2xx that it had to acknowledge
is acknowledged and hung up in any case.
"""

from __future__ import annotations

from reference_server.core.dialog.hang_up import Cause, acknowledge_and_hang_up, hang_up
from reference_server.core.methods import BYE
from reference_server.core.ports import Application
from reference_server.core.server_request import PendingRequests, ServerRequest
from reference_server.core.uac.core import UacCore

AT_ONCE = 1000
"""Requests of a lost application that are answered in one go."""

PORTION_SECONDS = 0.05
"""From one go to the next."""


def lose_application(pending: PendingRequests, uac: UacCore, application: Application) -> None:
    """``application`` is gone."""
    if uac.context.settings.defects.leaves_calls_of_the_gone:
        return
    hangs_up = uac.context.settings.hangup_on_application_loss
    _answer(pending, list(pending.of(application)))
    for invite in [one for one in uac.invites.values() if one.application is application]:
        invite.abandon()
    for usage in uac.dialogs:
        if usage.owner is not application:
            continue
        usage.disown()
        if usage.awaits_own_ack:
            acknowledge_and_hang_up(uac.dialogs, usage, Cause.APPLICATION_LOST)
        elif usage.is_confirmed and hangs_up and not usage.subscription:
            if usage.awaits_ack:
                usage.hang_up_when_acknowledged()
            else:
                hang_up(uac.dialogs, usage, Cause.APPLICATION_LOST)


def _answer(pending: PendingRequests, waiting: list[ServerRequest]) -> None:
    """Answer what it had to: many in portions, between which others come in."""
    for incoming in waiting[:AT_ONCE]:
        if not incoming.awaits_final:
            continue  # cancelled meanwhile, or answered by another application
        if incoming.method is BYE and incoming.in_dialog:
            incoming.reject(200)  # the call is over, whoever says so
        else:
            incoming.refuse(480)
    left = waiting[AT_ONCE:]
    if left:
        pending.context.timers.start(PORTION_SECONDS, lambda: _answer(pending, left))
