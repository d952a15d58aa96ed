"""The branch of a request that a proxy sends on (RFC 3261 §16.6 step 8): unique, and readable by the proxy itself.

It looks like a UUID behind the magic cookie. Fourteen of its digits are random; eight are a keyed digest of what the
routing of the request depends on, so that a request that comes back unchanged shows that it runs in a circle (RFC 5393
§4.2); eight are a keyed digest of the Via below, so that a response proves that it answers a request that was sent.
Without that proof a stray response is not passed on: anybody could have written it (RFC 6026).
"""

from __future__ import annotations

from hashlib import blake2s

from reference_server.sip.forwarding import via_values
from reference_server.sip.identifiers import MAGIC_COOKIE, Identifiers
from reference_server.sip.messages.message import Request, Response
from reference_server.sip.messages.via import parse_top_via

_LENGTH = len(MAGIC_COOKIE) + 36


class ProxyBranches:
    """Makes branches and reads them again."""

    __slots__ = ("_identifiers", "_key")

    def __init__(self, identifiers: Identifiers) -> None:
        self._identifiers = identifiers
        self._key = b""

    def signature(self, request: Request) -> str:
        """What the routing of ``request`` depends on, as eight digits that do not change in a loop."""
        first = request.first
        return self._digest(
            f"{request.uri}\n{request.from_tag}\n{request.to_tag}\n{first.get('call-id')}\n{request.cseq_number}"
            f"\n{first.get('route')}\n{first.get('proxy-require')}\n{first.get('proxy-authorization')}"
        )

    def make(self, signature: str, via_below: str) -> str:
        """The branch of one copy of a request with that signature, which goes above the Via value ``via_below``."""
        unique = self._identifiers.uuid()
        unique = f"{unique[:8]}{unique[9:13]}{unique[15:17]}"
        proof = self._digest(f"{unique}{via_below}")
        return (
            f"{MAGIC_COOKIE}{unique[:8]}-{unique[8:12]}-4{unique[12:14]}{signature[0]}-8{signature[1:4]}"
            f"-{signature[4:]}{proof}"
        )

    def has_been_here(self, request: Request, signature: str) -> bool:
        """Whether one of the Vias of ``request`` is ours and was put there when it looked the same: it is in a loop."""
        if f"{signature[0]}-8{signature[1:4]}-{signature[4:]}" not in request.text:
            return False  # nearly always
        for value in via_values(request):
            via = parse_top_via(value)
            branch = via.branch if via is not None else ""
            if len(branch) == _LENGTH and _signature_in(branch) == signature:
                return True
        return False

    def proves(self, response: Response) -> bool:
        """Whether the topmost Via of ``response`` is of a copy that was sent above the Via that is below it now."""
        vias = via_values(response)
        top = parse_top_via(vias[0]) if len(vias) > 1 else None
        if top is None or len(top.branch) != _LENGTH:
            return False
        unique, proof = _parts(top.branch)
        return self._digest(f"{unique}{vias[1]}") == proof

    def _digest(self, text: str) -> str:
        if not self._key:
            self._key = bytes.fromhex(self._identifiers.uuid().replace("-", ""))
        return blake2s(text.encode("latin-1"), key=self._key, digest_size=4).hexdigest()


def _parts(branch: str) -> tuple[str, str]:
    """The unique digits and the proof."""
    digits = branch[len(MAGIC_COOKIE) :]
    return f"{digits[:8]}{digits[9:13]}{digits[15:17]}", digits[28:36]


def _signature_in(branch: str) -> str:
    digits = branch[len(MAGIC_COOKIE) :]
    return f"{digits[17]}{digits[20:23]}{digits[24:28]}"
