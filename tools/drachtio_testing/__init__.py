"""A drachtio server and telephones for the tests of an application.

::

    async with ReferenceServer() as server:
        ...                                       # start the application: server.host, server.port, server.secret
        phone = await server.phone()
        played = await phone.play(acts.Hold(2), acts.Dtmf("1"), acts.HangUp(), user="bob")
        assert played.good, played.sentence

:class:`SyncReferenceServer` is the same without ``async``; pytest finds fixtures in :mod:`drachtio_testing.plugin`.
Everything lives on free ports of 127.0.0.1, so tests may run side by side. Above the suite's engine.
"""

from drachtio_conformance.telephone import acts
from drachtio_conformance.telephone.telephone import Done, Played
from drachtio_testing.server import Options, Phone, ReferenceServer
from drachtio_testing.synchronous import Playing, SyncPhone, SyncReferenceServer

__all__ = [
    "Done",
    "Options",
    "Phone",
    "Played",
    "Playing",
    "ReferenceServer",
    "SyncPhone",
    "SyncReferenceServer",
    "acts",
]
