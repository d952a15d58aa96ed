"""Request handlers: who is asked what to do with a new request, over HTTP, or is told it at once (``tcp:``, ``tls:``).

``question`` and ``answer`` know no socket; ``http_handler`` carries them with aiohttp, which is loaded with the first
handler that needs it. ``by_method`` is what the core sees. Imports core/ and what is below it.
"""
