"""The far ends that the suite plays, applications and SIP endpoints, and what they remember.

The lowest room.
"""
