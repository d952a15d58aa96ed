"""The admin protocol without I/O: frames and typed messages (docs/protocol.md).

Text is held as ``str`` in which each character is one octet (latin-1). Nothing here imports asyncio, socket or time.
"""
