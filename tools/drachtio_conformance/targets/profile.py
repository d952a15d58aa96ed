"""What a peer declares about itself (``--profile FILE``)::

name: drachtio-0.9            # which known defects of that server the cases allow for
features: [ipv6]              # a case that requires a feature which is not listed is not applicable

The features are the words that cases require. Those of the suite: ``ipv6`` (a SIP endpoint of that kind) and ``cdrs``
(call detail records are switched on).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a peer is and can do (``--profile FILE``)."""

    name: str = ""
    """selects the ``expect_under`` and ``danger`` entries of cases: ``drachtio-0.9``"""
    version: str = ""
    """overrides the version of the authenticate reply"""
    features: list[str] | None = None
    """declared features; a case that requires another is not applicable. Without the key everything is declared"""


FEATURES = ("cdrs", "ipv6")
"""what cases of the suite require"""


class ProfileError(ValueError):
    """The profile cannot be used; the message names the file and what is wrong."""


def load_profile(path: Path, required: Iterable[str] = ()) -> Profile:
    """Read a profile, which may declare :data:`FEATURES` and those that cases of one's own require.

    Raises ProfileError.
    """
    known = sorted({*FEATURES, *required})
    try:
        document = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
        profile = msgspec.convert(document or {}, Profile, strict=False)
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProfileError(f"{path}:{line}: not YAML: {error.problem}") from None
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: expected name, version and features: {error}") from None
    for feature in profile.features or ():
        if feature not in known:
            raise ProfileError(f"{path}: expected features of {', '.join(known)}, got '{feature}'")
    return profile
