"""The little Markdown of the specification's sentences, as HTML."""

from __future__ import annotations

import re

from markupsafe import Markup, escape


def prose(markdown: str) -> Markup:
    """The Markdown of a clause's sentence (code spans, bold and emphasis) as HTML."""
    text = str(escape(markdown))
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"(?<![\w*])\*([^*<>]+)\*(?![\w*])", r"<em>\1</em>", text)
    return Markup(text)
