"""Compiles the server's hot modules with mypyc into a tree of its own. A tool of the repository, not of the wheel."""
