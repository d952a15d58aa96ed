"""What docs/reliability.md and docs/security.md promise: rows that name tests, and figures of runs.

Rows are in ``reliability.yaml`` and ``security.yaml``, figures in ``figures.json``: ``make coverage`` writes
its own there, those of ``make soak`` and ``make fuzz`` are copied from what these runs say at their end.
"""
