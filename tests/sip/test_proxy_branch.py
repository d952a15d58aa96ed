"""Branches that a proxy can read again."""

from __future__ import annotations

import os
import re

import pytest

from reference_server.sip.identifiers import Identifiers
from reference_server.sip.messages.message import Request, Response, parse_message
from reference_server.sip.proxy_branch import ProxyBranches

BELOW = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKq1;rport=5080"


def branches() -> ProxyBranches:
    return ProxyBranches(Identifiers(os.urandom))


def request(via: str = "", uri: str = "sip:b@h", **fields: str) -> Request:
    values = {"From": "<sip:a>;tag=1", "To": "<sip:b>", "Call-ID": "c", "CSeq": "1 INVITE"}
    values |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [
        f"INVITE {uri} SIP/2.0",
        "Via: SIP/2.0/UDP x:1;branch=z9hG4bKx",
        *([f"Via: {via}"] if via else []),
    ]
    lines += [f"{name}: {value}" for name, value in values.items()]
    message = parse_message("\r\n".join([*lines, "", ""]))
    assert isinstance(message, Request)
    return message


def ok(branch: str, below: str = BELOW) -> Response:
    message = parse_message(f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP us;branch={branch}\r\nVia: {below}\r\n\r\n")
    assert isinstance(message, Response)
    return message


def test_it_looks_like_a_uuid_and_is_unique() -> None:
    made = branches()
    found = {made.make(made.signature(request()), BELOW) for _ in range(100)}
    assert len(found) == 100
    assert all(
        re.fullmatch(r"z9hG4bK[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}", one)
        for one in found
    )


def test_an_unchanged_request_has_been_here() -> None:
    made = branches()
    signature = made.signature(request())
    via = f"SIP/2.0/UDP us;branch={made.make(signature, BELOW)}"
    back = request(via)
    assert made.has_been_here(back, made.signature(back))
    assert not made.has_been_here(request(), signature)


@pytest.mark.parametrize(
    "changed",
    [
        {"uri": "sip:other@h"},
        {"Call_ID": "d"},
        {"CSeq": "2 INVITE"},
        {"From": "<sip:a>;tag=2"},
        {"To": "<sip:b>;tag=3"},
        {"Route": "<sip:x;lr>"},
        {"Proxy_Require": "x"},
        {"Proxy_Authorization": "Digest x"},
    ],
)
def test_a_changed_request_has_not(changed: dict[str, str]) -> None:
    made = branches()
    via = f"SIP/2.0/UDP us;branch={made.make(made.signature(request()), BELOW)}"
    back = request(via, **changed)
    assert not made.has_been_here(back, made.signature(back))


def test_another_server_makes_others() -> None:
    made, other = branches(), branches()
    branch = made.make(made.signature(request()), BELOW)
    back = request(f"SIP/2.0/UDP us;branch={branch}")
    assert not other.has_been_here(back, other.signature(back))
    assert not other.proves(ok(branch))


def test_a_branch_proves_the_via_below_it() -> None:
    made = branches()
    branch = made.make(made.signature(request()), BELOW)
    assert made.proves(ok(branch))
    assert not made.proves(ok(branch, BELOW.replace("5080", "5081")))
    assert not made.proves(ok(f"{branch[:-1]}{'0' if branch[-1] != '0' else '1'}"))
    assert not made.proves(ok("z9hG4bKshort"))
    alone = parse_message(f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP us;branch={branch}\r\n\r\n")
    assert isinstance(alone, Response)
    assert not made.proves(alone)


def test_what_only_looks_as_if_it_had_been_here_has_not() -> None:
    """Its digits stand outside of a Via, or in a branch of another length."""
    made = branches()
    signature = made.signature(request())
    digits = f"{signature[0]}-8{signature[1:4]}-{signature[4:]}"
    assert made.has_been_here(request(f"SIP/2.0/UDP us;branch={made.make(signature, BELOW)}"), signature)
    assert not made.has_been_here(request(Subject=digits), signature)
    assert not made.has_been_here(request(f"SIP/2.0/UDP us;branch=z9hG4bK{digits}"), signature)
