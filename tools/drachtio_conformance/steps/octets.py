"""What a step gives as text becomes octets: whole messages, hexadecimal, header lines."""

from __future__ import annotations

import binascii

from drachtio_conformance.peers.sip_compose import computed_length, crlf
from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.stage import StepError
from drachtio_conformance.steps.terms import HeaderFields


def whole_message(text: str) -> str:
    """A SIP message as a case writes it: LF becomes CRLF, a missing blank line is added, length computed."""
    message = crlf(text)
    if "\r\n\r\n" not in message:
        message = message.rstrip("\r\n") + "\r\n\r\n"
    return computed_length(message)


def exact_octets(variables: Variables, text: str | None, hexadecimal: str | None) -> str:
    """Octets given as text or in hexadecimal. Raises :class:`StepError`."""
    if (text is None) == (hexadecimal is None):
        raise StepError("expected either text or hex")
    if text is not None:
        return variables.fill(text)
    try:
        return binascii.unhexlify("".join((hexadecimal or "").split())).decode("latin-1")
    except (binascii.Error, ValueError) as error:
        raise StepError(f"expected octets in hexadecimal: {error}") from None


def filled(variables: Variables, headers: HeaderFields) -> list[tuple[str, str]]:
    """Header lines with their variables replaced."""
    return [
        (name, variables.fill(value))
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
