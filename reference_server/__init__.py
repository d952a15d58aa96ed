"""The reference server: a readable, drop-in server of the drachtio admin protocol.

Imports go down only: cli, server > net, apps, observe > calls > config > sip, wire.
Nothing here imports msgtrace or drachtio_conformance.
"""

PARITY_VERSION = "v0.9.9"
"""The release of the genuine server whose behaviour this one follows."""

__version__ = "0.2.0"
