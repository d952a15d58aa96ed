"""Where a next hop is: its name to addresses, ports and transports (RFC 3263), and which of our own addresses reach it.

``resolver`` has the procedure, ``hosts`` and ``dns`` answer its questions (``dns_sockets`` asks over sockets of ours),
``local_endpoint`` chooses among our endpoints. Knows no transport.
"""
