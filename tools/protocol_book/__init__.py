"""Makes what is generated of the specification: docs/protocol.json, tables of docs/protocol.md, the guides, the site.

The frames and their tokens are written down once, in :mod:`protocol_book.frames`, and the texts, reasons, timers and
versions in the modules beside it; all else is made of them. The server and msgtrace have codecs of their own, which
the tests hold against these tables.
"""
