"""Decodes admin-protocol and SIP traffic; tolerant where the reference server is strict. Imports nothing of ours."""
