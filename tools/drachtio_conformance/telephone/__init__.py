"""Telephones that play a script: what a caller or callee does, one act after the other, and what became of it.

One vocabulary for ``call`` and ``phone``, for fixtures of tests and for the control API: ``acts`` has it.
"""
