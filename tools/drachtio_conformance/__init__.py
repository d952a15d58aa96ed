"""The conformance suite: one step vocabulary, one runner, the reports.

Imports msgtrace; imports the reference server in targets/embedded.py only.
"""
