"""Into the background: the one who starts the server waits until it is ready, and hears why if it is not.

The child is the server. Until it is ready it writes to the same standard error as its parent, and its standard output
is a pipe: the first line that comes through it is the ready line, whereupon the parent prints the pid, without a line
end as the genuine server does, and ends. Forks, so it must be called before there are threads.
"""

from __future__ import annotations

import os
import sys


def detach() -> int | None:
    """Go on in the background. Returns None there, and to the one who waits the status to end with."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()
        os.dup2(writing, sys.stdout.fileno())
        os.close(writing)
        return None
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        ready = bool(said.readline())
    if ready:
        sys.stdout.write(str(child))
        return 0
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) or 1


def let_go_of_the_terminal() -> None:
    """The server is ready: nobody reads what it writes to its standard streams, and it reads nothing."""
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        os.dup2(nothing, stream.fileno())
    os.close(nothing)


# Tested by tests/operation/test_operation.py.
