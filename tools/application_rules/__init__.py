"""What an application may send: one set of rules, for the client mode of the suite, for ``--lint`` and for recordings.

::

    judge = Judge()
    for problem in judge.sent(connection, payload): ...
    for problem in judge.received(connection, payload): ...
    for problem in judge.left(connection): ...

Knows neither the server nor the suite nor msgtrace, which all use it: it reads payloads itself, as leniently as it can.
From below: payload, rules, calls, judge.
"""
