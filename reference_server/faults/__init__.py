"""Harm done on purpose at the seam of the admin sessions: for who wants to know what an application makes of it.

Loaded only where ``--fault`` says so. Below: filters, one for each kind of harm.
"""
