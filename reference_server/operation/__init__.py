"""The process as the operating system sees it: in the background, as another user, its pid file, its service manager.

Nothing here knows of calls; cli.py uses it.
"""
