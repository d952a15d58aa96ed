"""The conformance suite: one step vocabulary, one runner, the reports. Imports msgtrace; starts the server in embedded.py only."""
