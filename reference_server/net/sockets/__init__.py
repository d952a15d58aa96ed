"""What the operating system is asked for: bound sockets, addresses of interfaces, descriptors, ICMP errors.

Used by the transports of net/, which this package does not know.
"""
