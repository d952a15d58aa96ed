"""Runs cases: one pass, verdicts, broken twins, known failures, and the model of what a run leaves behind."""
