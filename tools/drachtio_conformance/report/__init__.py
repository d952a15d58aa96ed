"""What a run leaves for people and machines: terminal, HTML, JSON, JUnit.

Reads results, runs nothing.
"""
