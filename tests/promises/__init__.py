"""What docs/reliability.md and docs/security.md promise: rows that name tests, and figures of runs.

``reliability.yaml`` and ``security.yaml`` hold the rows. ``figures.json`` holds what ``make soak``, ``make fuzz`` and
``make coverage`` counted last, each under its name, a flat object of numbers and texts.
"""
