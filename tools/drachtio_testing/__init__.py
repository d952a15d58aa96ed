"""A drachtio server and telephones for the tests of an application.

::

    async with ReferenceServer() as server:
        ...                                       # start the application: server.host, server.port, server.secret
        phone = await server.phone()
        answer = await phone.call("bob")
        assert answer.status == 486

:class:`SyncReferenceServer` is the same without ``async``; pytest finds fixtures in :mod:`drachtio_testing.plugin`.
Everything lives on free ports of 127.0.0.1, so tests may run side by side. Above the suite's engine.
"""

from drachtio_testing.server import Options, Phone, ReferenceServer
from drachtio_testing.synchronous import SyncPhone, SyncReferenceServer

__all__ = ["Options", "Phone", "ReferenceServer", "SyncPhone", "SyncReferenceServer"]
