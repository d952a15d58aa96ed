"""What a run leaves for people and machines: terminal, HTML, JSON, JUnit, Markdown, CI logs.

Reads results, runs nothing.
"""
