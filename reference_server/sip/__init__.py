"""SIP without I/O: messages, headers, transactions and dialogs. Bytes in, bytes out.

Text is held as ``str`` in which each character is one octet (latin-1), so that a message is byte-exact, its
``len`` is its size on the wire, and string methods are fast. Nothing here imports asyncio, socket, time or random.
"""
