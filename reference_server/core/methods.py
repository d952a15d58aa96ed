"""What each SIP method may do: one row a method, instead of sets and comparisons all over the core."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Method(Struct, frozen=True, kw_only=True, eq=False):
    """One method; two are the same if they are the same object."""

    name: str
    routable: bool = False
    """a request outside dialogs is offered to applications (SIP-3)"""
    sendable: bool = False
    """an application may send it; the genuine server knows no others (OUT-1, DLG-4)"""
    needs_dialog: bool = False
    """outside of one there is nothing that it could be about: 481"""
    forms_dialog: bool = False
    """a 2xx to it confirms a dialog, and it may be answered in one that exists (RFC 3261 §12.1, RFC 6665 §4.1)"""
    rings: bool = False
    """its provisional responses are worth something: early dialogs, CANCEL, no time limit of their own (§13)"""
    offers_session: bool = False
    """it changes and refreshes a session: glare, target refresh, session timers (RFC 3261 §14, RFC 3311, RFC 4028)"""
    names_contact: bool = False
    """a request inside a dialog has a Contact of ours, if the application gives none (§8.1.1.8)"""
    binds_connection: bool = False
    """a 2xx to it leads back to the phone by the connection over which it came (NET-7)"""
    joins_dialog: bool = True
    """without a To tag it is of the dialog whose Call-ID and From tag it has (SIP-50)"""
    about_call: bool = True
    """a 481 to it says that the call is gone; else a subscription, a response or a transaction is"""


METHODS: Final = {
    method.name: method
    for method in (
        Method(
            name="INVITE",
            routable=True,
            sendable=True,
            forms_dialog=True,
            rings=True,
            offers_session=True,
            names_contact=True,
        ),
        Method(name="REGISTER", routable=True, sendable=True, binds_connection=True, joins_dialog=False),
        Method(name="MESSAGE", routable=True, sendable=True),
        Method(name="OPTIONS", routable=True, sendable=True),
        Method(name="INFO", routable=True, sendable=True),
        Method(name="NOTIFY", routable=True, sendable=True, about_call=False),
        Method(
            name="SUBSCRIBE",
            routable=True,
            sendable=True,
            forms_dialog=True,
            names_contact=True,
            binds_connection=True,
            about_call=False,
        ),
        Method(name="PUBLISH", routable=True, sendable=True, joins_dialog=False),
        Method(name="ACK", sendable=True),
        Method(name="CANCEL", sendable=True, about_call=False),
        Method(name="BYE", sendable=True, needs_dialog=True),
        Method(name="PRACK", sendable=True, needs_dialog=True, about_call=False),
        Method(name="REFER", sendable=True, names_contact=True),
        Method(name="UPDATE", sendable=True, needs_dialog=True, offers_session=True),
    )
}
"""By name, in the order in which Allow lists them."""

INVITE: Final = METHODS["INVITE"]
ACK: Final = METHODS["ACK"]
BYE: Final = METHODS["BYE"]
CANCEL: Final = METHODS["CANCEL"]
NOTIFY: Final = METHODS["NOTIFY"]
PRACK: Final = METHODS["PRACK"]
REGISTER: Final = METHODS["REGISTER"]
SUBSCRIBE: Final = METHODS["SUBSCRIBE"]
UPDATE: Final = METHODS["UPDATE"]

ALLOW: Final = f"Allow: {', '.join(METHODS)}\r\n"
"""The header line of a 405 (RFC 3261 §21.4.6)."""


def method_named(name: str) -> Method:
    """What may be done with ``name``; nothing with one that nobody knows."""
    known = METHODS.get(name)
    return Method(name=name) if known is None else known
