"""The sentences of the features. Each builds steps of the suite's vocabulary and lets the session play them.

applications.py: what applications do and see; callers.py: what Alice does and sees; callees.py: what Carol does and
sees; accountants.py: what an application learns that keeps accounts.
"""
