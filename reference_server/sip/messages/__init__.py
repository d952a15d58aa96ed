"""SIP messages: cut from a stream, taken apart, judged, composed.

Each module reads or writes one thing (a Via, a URI, a draft of an application). Anything above may import them; they
import nothing but each other, the identifiers and the memo.
"""
