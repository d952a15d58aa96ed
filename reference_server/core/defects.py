"""What the core does wrong on purpose, as the genuine server does it (docs/deviations.md; package ``emulation``).

All of it is off unless a genuine release is emulated. Each field is read where a call has left the ordinary way.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Defects(Struct, frozen=True, kw_only=True):
    """The defects that cannot be brought about at the edges of the server."""

    # Applications and their connections.
    leaves_calls_of_the_gone: bool = False
    """nothing is done for the far ends of an application that is gone (DEV-23, DEV-25, DEV-28)"""
    is_silent_without_owner: bool = False
    """a request in a dialog whose application is gone is not answered, BYE excepted (DEV-24)"""
    shares_everything: bool = False
    """any application answers any transaction and uses any dialog, whose owner it does not become (DEV-17, DEV-24)"""
    waits_for_ever: bool = False
    """for an application that does not answer (DEV-16)"""

    # Requests from the network.
    offers_copies: bool = False
    """a request that is here already is offered again (DEV-78, DEV-218)"""
    delivers_what_crosses: bool = False
    """offers that cross another; an early UPDATE is refused without a Retry-After (DEV-71)"""
    delivers_what_is_late: bool = False
    """requests whose CSeq number has been passed (DEV-207)"""
    hides_cancels_of_reinvites: bool = False
    """from the application (DEV-205)"""
    drops_bad_pracks: bool = False
    """instead of refusing them (DEV-52)"""
    forgets_owner_at_last_notify: bool = False
    """of a call in which it comes (DEV-42)"""
    ends_subscription_at_last_notify: bool = False
    """when it comes, with a 500 (DEV-32)"""
    keeps_subscriptions: bool = False
    """whose time is over (DEV-230)"""

    # Responses of applications.
    ends_by_provisional: bool = False
    """500 follows that to a request other than INVITE (DEV-22), or a reliable one to a re-INVITE (DEV-222)"""
    hides_contact_when_demanded: bool = False
    """a provisional response that the server has made reliable has no Contact (DEV-125)"""
    opens_no_way_back: bool = False
    """for a response whose connection is gone (DEV-63)"""

    # Requests of applications.
    knows_no_call_id: bool = False
    """a Call-ID names no dialog (DEV-77)"""
    acknowledges_anything: bool = False
    """an ACK for which nothing waits is sent (DEV-129)"""
    keeps_dead_calls: bool = False
    """of which the far end says that they do not exist (DEV-73)"""
    keeps_first_target: bool = False
    """whatever Contact the 2xx to a re-INVITE names (DEV-76)"""
    makes_bare_to: bool = False
    """without angle brackets around the URI (DEV-30)"""
    echoes_what_was_not_sent: bool = False
    """a request whose connection was refused, a BYE that finds no way (DEV-31, DEV-233)"""
    repeats_first_ack: bool = False
    """for the 2xx of a second branch (DEV-27)"""
    knows_only_200: bool = False
    """no other 2xx to an INVITE makes a dialog (DEV-29)"""
    takes_words_for_contacts: bool = False
    """DEV-160"""
    delivers_every_provisional: bool = False
    """reliable ones, too, however often they come (DEV-225)"""
    refuses_early_notify: bool = False
    """that overtakes the 2xx of its SUBSCRIBE (DEV-231)"""
    ignores_lost_connections: bool = False
    """on which the answer to a request other than INVITE was to come (DEV-208)"""

    # Proxying.
    passes_any_2xx: bool = False
    """that has a Via below ours (DEV-215)"""
    passes_late_2xx: bool = False
    """to a caller who has another final response (DEV-213)"""
    passes_each_failure: bool = False
    """if it asks for credentials, or is of no INVITE (DEV-214)"""
    passes_one_2xx: bool = False
    """of several targets (DEV-219)"""
    forgets_who_rings: bool = False
    """no CANCEL for a target that was given up before it rang (DEV-220)"""
    redirects_in_circles: bool = False
    """DEV-217"""
    adds_one_record_route: bool = False
    """without a transport (DEV-216)"""
    proxies_to_nowhere: bool = False
    """what cannot be sent is done, and the caller hears nothing (DEV-101, DEV-104, DEV-211)"""

    # Registrations.
    compares_contacts_exactly: bool = False
    """letter by letter (DEV-120)"""
    trusts_every_contact: bool = False
    """of a registration, so that the last one has it (DEV-120)"""

    registers_by_200_only: bool = False
    """no other 2xx opens a way back (DEV-238)"""

    # Session timers.
    gives_no_session_expires: bool = False
    """in the answer to a refresh (DEV-57)"""
    repeats_any_refresher: bool = False
    """DEV-232"""
    takes_callers_for_refreshers: bool = False
    """that do not know session timers (DEV-59)"""
    gives_up_refused_refreshes: bool = False
    """after any failure but 491 (DEV-58)"""
    gives_up_at_491: bool = False
    """DEV-58"""
    refreshes_at_any_time: bool = False
    """while an INVITE is open (DEV-209), and when nobody has the call (DEV-234)"""
    refreshes_by_empty_invite: bool = False
    """a call without a session description (DEV-210)"""


NONE: Final = Defects()
"""As it should be."""

# Tested by tests/emulation/test_agreement.py.
