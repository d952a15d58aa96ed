"""Cases as data, read and chosen, and the specification that they test.

Knows what steps are, runs none.
"""
