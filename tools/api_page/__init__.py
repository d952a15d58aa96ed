"""Makes docs/api.md from the docstrings of what programs may import. A tool of the repository, not of the wheel."""
