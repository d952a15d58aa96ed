"""Recorded traces played again and compared, and cases recorded as traces.

Below the commands; uses reports, engine, cases.
"""
