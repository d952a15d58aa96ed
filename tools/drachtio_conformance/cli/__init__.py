"""The commands: options, what each prints, and its exit code.

Imports every other room, is imported by none.
"""
