"""Makes what is generated of the specification: docs/protocol.json, tables of docs/protocol.md, the guides, the site.

The frames and their tokens are written down once, in ``frames_to_server`` and ``frames_to_application``, and the
texts, reasons, timers and versions in the modules beside them; all else is made of that. The server and msgtrace
have codecs of their own, which the tests hold against these tables.
"""
