"""What a server chooses gets a name where it first says it; what others said before stays as it was."""

from __future__ import annotations

from drachtio_conformance.replay.learnt import Learnt

PORTS = {20260: "sip.udp.port", 20271: "uac.port"}
ONE = "13f5d7fe-7ec1-44b4-af56-1885fe82be5a"
TWO = "25b03a10-cba6-46f4-901a-1ce1b74e067b"


def test_an_id_that_the_server_says_first_is_learnt() -> None:
    learnt = Learnt(PORTS)
    learnt.choose(f"sip|network|{ONE}|")
    assert learnt.expected(ONE) == "{id1:uuid}"
    assert learnt.to_send(f"sip|{ONE}|") == "sip|${id1}|"
    assert learnt.values == {"id1": ONE}


def test_an_id_that_an_application_said_first_is_not() -> None:
    learnt = Learnt(PORTS)
    learnt.told(f"{TWO}|sip|{ONE}|")
    learnt.choose(f"response|{TWO}|NOK|Unknown transaction id: {ONE}")
    assert learnt.expected(ONE) == ONE


def test_tags_branches_and_numbers() -> None:
    learnt = Learnt(PORTS)
    learnt.told("Via: SIP/2.0/UDP 127.0.0.1:20271;branch=z9hG4bKours\r\nFrom: <sip:a@h>;tag=Fv3F2B95K092a")
    learnt.choose(
        "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:20260;rport;branch=z9hG4bKUcK30c8g6QZ3a\r\n"
        "From: <sip:b@h>;tag=Fv3F2B95K092r\r\nTo: <sip:a@h>;tag=Fv3F2B95K092a\r\nCSeq: 123155824 BYE\r\n"
    )
    assert learnt.expected("<sip:b@h>;tag=Fv3F2B95K092r") == "<sip:b@h>;tag={tag1:tag13}"
    assert learnt.expected("<sip:a@h>;tag=Fv3F2B95K092a") == "<sip:a@h>;tag=Fv3F2B95K092a"
    assert learnt.expected("123155824 BYE") == "{cseq1:number} BYE"
    via = learnt.expected("SIP/2.0/UDP 127.0.0.1:20260;rport;branch=z9hG4bKUcK30c8g6QZ3a")
    assert via == "SIP/2.0/UDP 127.0.0.1:${sip.udp.port};rport;branch={branch1:branch}"


def test_two_calls_of_one_moment_begin_with_one_number() -> None:
    learnt = Learnt(PORTS)
    learnt.choose("INVITE\r\nCall-ID: a\r\nCSeq: 123155824 INVITE\r\n")
    assert learnt.expected("123155824 INVITE") == "{cseq1:number} INVITE"
    learnt.told("SIP/2.0 200 OK\r\nCall-ID: a\r\nCSeq: 123155824 INVITE\r\n")
    learnt.choose("INVITE\r\nCall-ID: b\r\nCSeq: 123155824 INVITE\r\n")
    assert learnt.expected("123155824 INVITE") == "{cseq2:number} INVITE"


def test_what_a_pattern_would_take_for_special_is_literal() -> None:
    learnt = Learnt(PORTS)
    assert learnt.expected("*") == "=*"
    assert learnt.expected("~x") == "=~x"
    assert learnt.expected("{uuid}") == "={uuid}"


def test_ports_stand_for_themselves_within_longer_figures() -> None:
    learnt = Learnt(PORTS)
    assert learnt.expected("127.0.0.1:20260") == "127.0.0.1:${sip.udp.port}"
    assert learnt.expected("120260 20260.5 a20271") == "120260 20260.5 a20271"


def test_rseqs_and_the_lengths_of_what_holds_them() -> None:
    learnt = Learnt({})
    learnt.told("SIP/2.0 183 x\r\nRSeq: 77\r\n")
    learnt.choose("SIP/2.0 183 x\r\nRSeq: 77\r\n")
    assert learnt.expected("RSeq: 77") == "RSeq: 77", "an endpoint chose it"
    learnt.choose("SIP/2.0 183 x\r\nRSeq: 207481485\r\n")
    learnt.choose("SIP/2.0 180 x\r\nRSeq: 207481486\r\n")
    assert learnt.expected("207481486") == "{rseq2:number}"
    assert learnt.to_send("RAck: 207481485 1 INVITE") == "RAck: ${rseq1} 1 INVITE"
    assert learnt.length("302", "PRACK\r\nRAck: 207481485 1 INVITE\r\n") == "~" + "|".join(
        map(str, range(294, 304))
    )
    assert learnt.length("302", "PRACK\r\nRAck: 77 1 INVITE\r\n") == "302"


def test_a_frame_names_its_call_by_the_dialog_id() -> None:
    learnt = Learnt({})
    learnt.choose("INVITE x\r\nCall-ID: abc\r\nCSeq: 123155824 INVITE\r\n")
    frame = "id|sip||abc;from-tag=t\r\nPRACK sip:x SIP/2.0\r\nRAck: 77 123155824 INVITE\r\n"
    learnt.told(frame)
    assert learnt.to_send("RAck: 77 123155824 INVITE") == "RAck: 77 ${cseq1} INVITE"
