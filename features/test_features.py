"""Every scenario of every feature is a test."""

from __future__ import annotations

from pytest_bdd import scenarios

scenarios(".")
