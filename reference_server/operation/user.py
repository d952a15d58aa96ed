"""Becoming another user, with all its groups, when what needs privileges has been done: ports bound, files opened."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass


class UserError(Exception):
    """The process cannot become that user; the text says why."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an entry in the password file."""

    name: str
    uid: int
    gid: int


def user_named(name: str) -> User:
    """Look up a user by name or number. Raises UserError."""
    try:
        entry = pwd.getpwuid(int(name)) if name.isascii() and name.isdigit() else pwd.getpwnam(name)
    except (KeyError, OverflowError, ValueError):
        raise UserError(f"user: expected a user of this machine, got {name!r}") from None
    try:
        grp.getgrgid(entry.pw_gid)
    except KeyError:
        raise UserError(f"user: expected {name}'s group {entry.pw_gid} on this machine, got none") from None
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def become(user: User, *files: str) -> None:
    """Give ``files`` to ``user``, as far as they exist, and become it, for good. Raises UserError."""
    if os.geteuid() == user.uid and os.getuid() == user.uid:
        return
    if os.geteuid() != 0:
        raise UserError(
            f"user: expected to be started by root to become {user.name}, started by {os.geteuid()}"
        )
    try:
        for file in files:
            if os.path.lexists(file):
                os.chown(file, user.uid, user.gid, follow_symlinks=False)
        os.initgroups(user.name, user.gid)
        os.setgid(user.gid)
        os.setuid(user.uid)
    except OSError as reason:
        raise UserError(f"user: cannot become {user.name}: {reason.strerror}") from None


# Tested by tests/operation/test_operation.py.
