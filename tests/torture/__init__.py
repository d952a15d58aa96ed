"""The messages of RFC 4475 on real sockets, with a table of what becomes of each."""
