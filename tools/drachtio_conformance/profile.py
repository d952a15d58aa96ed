"""What a peer declares about itself (``--profile FILE``)::

name: drachtio-0.9            # which known defects of that server the cases allow for
features: [ipv6]              # a case that requires a feature which is not listed is not applicable
"""

from __future__ import annotations

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


class ProfileError(ValueError):
    """The profile cannot be used; the message names the file and what is wrong."""


def load_profile(path: Path) -> Profile:
    """Read a profile. Raises ProfileError."""
    try:
        document = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
        return msgspec.convert(document or {}, Profile, strict=False)
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProfileError(f"{path}:{line}: not YAML: {error.problem}") from None
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: expected name, version and features: {error}") from None
