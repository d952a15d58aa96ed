"""Transactions (RFC 3261 §17): what repeats and absorbs, and when it is over.

They know timers, texts and responses; no dialog, no application, no connection. core/ makes and owns them.
"""
