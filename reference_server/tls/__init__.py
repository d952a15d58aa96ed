"""TLS for both doors, SIP and admin: certificates, and sessions without I/O. Imports config/ and nothing else here."""
