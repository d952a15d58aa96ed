"""One authority for all tests of TLS."""

from __future__ import annotations

import pytest

from tests.tls.openssl import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs certificates."""
    return Authority(tmp_path_factory.mktemp("certificates"))
