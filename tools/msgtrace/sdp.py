"""A body of SDP (RFC 8866) in a few words."""

from __future__ import annotations

import re

from msgtrace.octets import one_line

_CONNECTION = re.compile(r"(?m)^c=IN IP[46] (\S+)")
_MEDIA = re.compile(r"(?m)^m=(\S+) (\d+)(?:/\d+)? (\S+)([^\r\n]*)")
_MAP = re.compile(r"(?m)^a=rtpmap:(\d+) ([^/\s]+)")
_DIRECTION = re.compile(r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)")
_STATIC = {"0": "PCMU", "3": "GSM", "4": "G723", "8": "PCMA", "9": "G722", "18": "G729"}
"""payload types that need no rtpmap (RFC 3551 §6)"""


def summary(body: str) -> str:
    """``audio 40000 PCMU, telephone-event at 192.0.2.9, sendonly``; empty if it is no SDP."""
    if not body.startswith("v=0"):
        return ""
    names = dict(_MAP.findall(body))
    connection = _CONNECTION.search(body)
    media = []
    for kind, port, protocol, formats in _MEDIA.findall(body)[:8]:
        codecs = [names.get(one) or _STATIC.get(one, one) for one in formats.split()]
        what = ", ".join(dict.fromkeys(codecs[:6])) if "RTP" in protocol else protocol
        media.append(f"{kind} {port} {what}" if port != "0" else f"{kind} refused")
    told = "; ".join(media) or "no media"
    where = f" at {connection[1]}" if connection else ""
    direction = _DIRECTION.search(body)
    way = f", {direction[1]}" if direction and direction[1] != "sendrecv" else ""
    return one_line(f"{told}{where}{way}", 160)
