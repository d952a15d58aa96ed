"""Anything in any order: machines of hypothesis, a little of them in every run of the tests, much by ``make fuzz``."""
