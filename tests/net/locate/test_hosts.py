"""The hosts file."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_server.net.locate.hosts import HostsFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text(
        "127.0.0.1 localhost loghost\n\n# 10.0.0.9 commented\n"
        "10.0.0.1\tPBX.example  pbx # the old one\n::0001 v6 pbx\n10.0.0.1 pbx\nnonsense name\n10.0.0.2\n"
    )
    return path


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("pbx", ("10.0.0.1", "::1")),
        ("PBX.Example.", ("10.0.0.1",)),
        ("loghost", ("127.0.0.1",)),
        ("v6", ("::1",)),
        ("localhost", ("127.0.0.1",)),
        ("sip.localhost", ("127.0.0.1", "::1")),
        ("commented", ()),
        ("#", ()),
        ("name", ()),
        ("", ()),
    ],
)
def test_a_name_and_its_addresses(file: Path, name: str, addresses: tuple[str, ...]) -> None:
    assert HostsFile(file).addresses(name) == addresses


def test_a_changed_file_counts_at_once(file: Path) -> None:
    hosts = HostsFile(file)
    assert hosts.addresses("new") == ()
    file.write_text("10.0.0.3 new\n")
    assert hosts.addresses("new") == ("10.0.0.3",)
    assert hosts.addresses("pbx") == ()
    file.unlink()
    assert hosts.addresses("new") == ()
    assert hosts.addresses("localhost") == ("127.0.0.1", "::1")
    file.write_bytes(b"\xff\xfe\0 garbage\n10.0.0.4 again\n")
    assert hosts.addresses("again") == ("10.0.0.4",)
