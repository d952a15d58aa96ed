"""Draws the state machines of the server's core into docs/architecture.md, from the tables that move them."""
