"""The behaviour: which application gets a request, what goes out for its answer, who owns a dialog.

No sockets, no clock, never awaits: the world comes in through the contract of ports.py.
"""
