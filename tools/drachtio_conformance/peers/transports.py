"""The transports that a SIP peer speaks, by their names in URIs and in the authenticate reply."""

from __future__ import annotations

TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")
SECURE = frozenset({"tls", "wss"})
"""encrypted"""
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
"""where a URI names none (RFC 3261 §19.1.2, RFC 7118)"""
