"""Settings of the process, from the three sources."""

from __future__ import annotations

from reference_server.config.model import ProcessConfiguration
from tests.config.test_reading import configured, problems


def test_the_process() -> None:
    line = ("--daemon", "-u", "nobody", "--pid-file", "/run/d.pid", "--drain", "0")
    assert configured(*line).process == ProcessConfiguration(
        daemon=True, user="nobody", pid_file="/run/d.pid", drain=0.0
    )
    assert configured(environment={"DRACHTIO_DRAIN": "1.5"}).process.drain == 1.5
    assert problems("--drain", "-1") == [
        "error: option --drain: expected seconds from 0 to 86400, such as 10 or 0.5, got '-1'"
    ]
