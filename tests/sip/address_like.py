"""Texts that look like the value of a From, To or Contact field: the pieces of such values in any order."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = (
    *("<sip:a@h>", "<sip:a@h;=x>", "<tel:1>", "sip:a@h", "<", ">", '"', '"b" ', '"b>', "A B ", "\\", "*"),
    *(";tag=", ";TAG = ", ";x=1", ";expires=5", "a1", "a-b.c~", "\xe9", "=", ",", ";", " "),
)

ADDRESS_LIKE = st.lists(st.sampled_from(_PIECES), max_size=7).map("".join)
