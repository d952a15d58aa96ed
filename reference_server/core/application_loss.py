"""What becomes of an application's requests and calls when its connection ends (CONN-3, CONN-4, CONN-6).

What it had not answered gets 480 at once, its own INVITEs are cancelled. Its calls stay, owned by nobody, until another
application uses their ids, or end with a BYE if that is configured; a 2xx that it had still to acknowledge is
acknowledged and hung up in any case.
"""

from __future__ import annotations

from reference_server.core.dialog.hang_up import Cause, acknowledge_and_hang_up, hang_up
from reference_server.core.ports import Application
from reference_server.core.server_request import PendingRequests
from reference_server.core.uac.core import UacCore


def lose_application(pending: PendingRequests, uac: UacCore, application: Application) -> None:
    """``application`` is gone."""
    hangs_up = uac.context.settings.hangup_on_application_loss
    for incoming in pending.of(application):
        incoming.refuse(480)
    for invite in [one for one in uac.invites.values() if one.application is application]:
        invite.abandon()
    for usage in uac.dialogs:
        if usage.owner is not application:
            continue
        usage.disown()
        if usage.awaits_own_ack:
            acknowledge_and_hang_up(uac.dialogs, usage, Cause.APPLICATION_LOST)
        elif usage.is_confirmed and hangs_up and not usage.subscription:
            hang_up(uac.dialogs, usage, Cause.APPLICATION_LOST)
