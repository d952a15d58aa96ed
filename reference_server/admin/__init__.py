"""The admin port: what an application says and hears (session, sans-I/O), how it gets there (connection, listener).

``session`` and what it needs (``context``, ``routes``) know no socket and no event loop; ``connection``,
``connections`` and ``listener`` are thin adapters of asyncio around them. Imports core/ and what is below it.
"""
