"""The option ``--keylog`` of the commands that read captures."""

from __future__ import annotations

import argparse


def add_keylog(command: argparse.ArgumentParser) -> None:
    """Add it."""
    command.add_argument(
        *("--keylog",),
        metavar="KEYS",
        default="",
        help="the file SSLKEYLOGFILE with the keys of the TLS connections of a capture, which tshark opens; without it "
        "those that a pcapng file holds itself",
    )
