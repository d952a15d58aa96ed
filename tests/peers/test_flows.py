"""What caller and application saw of each other through the server."""

from __future__ import annotations

import pytest

from drachtio_load.messages import SeenMessage
from tests.peers.flows import CALLS, FLOWS, Flow, Flows, Played
from tests.peers.processes import LIBRARIES, Server

REJECT, ANSWER, ANSWER_HANGUP, CANCEL, OPTIONS, MESSAGE, REGISTER = FLOWS[:7]
REINVITE, UPDATE, EARLY_MEDIA, SUBSCRIBE, REGISTER_DIGEST, ROUTE_SET = FLOWS[7:13]
PRACK, PRACK_HASTY, PRACK_DEMANDED = FLOWS[13:16]
REFER, LATE_OFFER, RESUBSCRIBE = FLOWS[16:]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.scenario)
def test_every_call_succeeds_for_both_sides(flow: Flow, flows: Flows) -> None:
    for played in flows.play(flow):
        statistics = played.run.statistics
        assert statistics is not None
        assert (statistics.successful, statistics.unexpected) == (CALLS, 0)
        assert sorted(str(line["callId"]) for line in played.events(flow.last)) == sorted(played.call_ids())
        assert not played.events("failed")
        assert not played.events("error")


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.scenario)
def test_responses_carry_what_ties_them_to_their_request(flow: Flow, flows: Flows) -> None:
    for played in flows.play(flow):
        requests = {
            (seen.header("Call-ID"), seen.header("CSeq")): seen
            for seen in played.run.messages
            if seen.sent and not seen.start_line.startswith("SIP/2.0")
        }
        responses = played.received("SIP/2.0")
        assert responses
        for response in responses:
            request = requests[response.header("Call-ID"), response.header("CSeq")]
            via, request_via = response.header("Via"), request.header("Via")
            assert via is not None
            assert request_via is not None
            port = request_via.partition(";")[0].rpartition(":")[2]
            learnt = via.partition("rport=")[2].partition(";")[0]
            assert via.replace(f"rport={learnt}", "rport") == request_via
            assert learnt.isdigit()
            assert learnt == port or played.transport == "tcp"
            assert response.header("From") == request.header("From")
            assert (response.header("To") or "").startswith(request.header("To") or "-")
            in_dialog = ";tag=" in (request.header("To") or "")
            trying = response.start_line.startswith("SIP/2.0 100") and not in_dialog
            assert (";tag=" in (response.header("To") or "")) is not trying


def test_the_application_learns_where_the_server_listens(flows: Flows, server: Server) -> None:
    connected = flows.play(OPTIONS)[0].connected
    assert sorted(str(connected["hostports"]).split(",")) == sorted(server.hostports)
    assert connected["version"] == server.version


def test_reject(flows: Flows) -> None:
    for played in flows.play(REJECT):
        for invite in played.events("invite"):
            assert invite["protocol"] == played.transport
            assert invite["sourceAddress"] == "127.0.0.1"
            assert (invite["calledNumber"], invite["callingNumber"]) == ("service", "sipp")
        tags = [line["to"] for line in played.events("sent")]
        busy = played.received("SIP/2.0 486")
        assert {seen.start_line for seen in busy} == {"SIP/2.0 486 So sorry, busy right now"}
        assert {seen.header("X-Custom") for seen in busy} == {"my custom header value"}
        assert {seen.header("User-Agent") for seen in busy} == {"drachtio"}
        assert {seen.header("To") for seen in busy} == set(tags)
        assert len(set(tags)) == CALLS
        assert {line["status"] for line in played.events("sent")} == {486}


def test_answer(flows: Flows, server: Server) -> None:
    for played in flows.play(ANSWER):
        offers = {seen.text.partition("\r\n\r\n")[2] for seen in played.sent("INVITE")}
        assert {str(line["body"]) for line in played.events("invite")} == offers
        answers = [seen for seen in played.received("SIP/2.0 200") if seen.header("CSeq") == "1 INVITE"]
        assert len(answers) == CALLS
        address = f"127.0.0.1:{server.sip_port(played.transport)}"
        parameter = ";transport=tcp" if played.transport == "tcp" else ""
        for answer in answers:
            assert answer.header("X-Answered-By") == "drachtio-srf"
            assert answer.header("Content-Type") == "application/sdp"
            assert answer.header("Contact") == f"<sip:{address}{parameter}>"
            assert answer.text.endswith("m=audio 9 RTP/AVP 0\r\n")
        assert {line["method"] for line in played.events("destroyed")} == {"BYE"}


def test_answer_hangup(flows: Flows) -> None:
    for played in flows.play(ANSWER_HANGUP):
        contacts = {contact_uri(seen.header("Contact") or "") for seen in played.sent("INVITE")}
        byes = distinct_calls(played, "BYE")
        assert {seen.start_line for seen in byes} == {f"BYE {contact} SIP/2.0" for contact in contacts}
        assert {seen.header("X-Reason") for seen in byes} == {"enough said"}
        assert len(byes) == CALLS


def test_cancel(flows: Flows) -> None:
    for played in flows.play(CANCEL):
        assert len(played.received("SIP/2.0 180")) == CALLS
        assert {seen.header("CSeq") for seen in played.received("SIP/2.0 487")} == {"1 INVITE"}
        assert {seen.header("CSeq") for seen in played.received("SIP/2.0 200")} == {"1 CANCEL"}
        assert {line["method"] for line in played.events("cancelled")} == {"CANCEL"}


def test_options(flows: Flows) -> None:
    for played in flows.play(OPTIONS):
        answers = played.received("SIP/2.0 200")
        assert {seen.header("Allow") for seen in answers} == {"INVITE, ACK, BYE, CANCEL, OPTIONS"}
        assert {seen.header("Contact") for seen in answers} == {None}


def test_message(flows: Flows) -> None:
    for played in flows.play(MESSAGE):
        assert {str(line["body"]).strip() for line in played.events("message")} == {"Watson, come here."}
        text = (
            "I’m coming, Mr. Bell — ☎" if flows.library == LIBRARIES[0] else "I am coming, Mr. Bell."
        ).encode()
        for answer in played.received("SIP/2.0 200"):
            assert answer.text.partition("\r\n\r\n")[2].encode("latin-1") == text
            assert answer.header("Content-Length") == str(len(text))


def test_register(flows: Flows) -> None:
    for played in flows.play(REGISTER):
        wished = {seen.header("Contact") for seen in played.sent("REGISTER")}
        granted = {seen.header("Contact") for seen in played.received("SIP/2.0 200")}
        assert granted == {f"{contact};expires=60" for contact in wished}
        assert {f"<{line['contact']}>" for line in played.events("register")} == wished


def test_reinvite(flows: Flows) -> None:
    for played in flows.play(REINVITE):
        offers = {
            seen.text.partition("\r\n\r\n")[2] for seen in played.sent("INVITE") if "2 INVITE" in seen.text
        }
        assert {str(line["body"]) for line in played.events("modify")} == offers
        answers = [seen for seen in played.received("SIP/2.0 200") if seen.header("CSeq") == "2 INVITE"]
        assert len(answers) == CALLS
        assert {seen.header("X-Modified") for seen in answers} == {"yes"}


def test_update(flows: Flows) -> None:
    for played in flows.play(UPDATE):
        assert len(played.events("update")) == CALLS
        answers = [seen for seen in played.received("SIP/2.0 200") if seen.header("CSeq") == "2 UPDATE"]
        assert {seen.header("X-Updated") for seen in answers} == {"yes"}
        assert {seen.header("Content-Type") for seen in answers} == {"application/sdp"}


def test_refer(flows: Flows) -> None:
    for played in flows.play(REFER):
        assert {line["to"] for line in played.events("refer")} == {"<sip:dave@example.com>"}
        assert [line["statuses"] for line in played.events("told")] == [[200, 200]] * CALLS
        for state, body in (("active", "100 Trying"), ("terminated", "200 OK")):
            notices = [seen for seen in played.received("NOTIFY") if body in seen.text]
            assert {(seen.header("Subscription-State") or "").partition(";")[0] for seen in notices} == {
                state
            }


def test_late_offer(flows: Flows) -> None:
    for played in flows.play(LATE_OFFER):
        agreed = played.events("agreed")
        assert {line["offered"] for line in agreed} == {""}
        answers = {seen.text.partition("\r\n\r\n")[2] for seen in played.sent("ACK")}
        assert {line["body"] for line in agreed} == answers
        assert len(played.events("changed")) == CALLS
        offers = distinct_calls(played, "INVITE")
        assert len(offers) == CALLS
        assert all(seen.text.endswith("a=sendonly\r\n") for seen in offers)
        acknowledged = [seen for seen in played.received("ACK") if not seen.sent]
        assert len(acknowledged) >= CALLS, "the application's own ACK for the caller's 200"


def test_early_media(flows: Flows) -> None:
    for played in flows.play(EARLY_MEDIA):
        early = played.received("SIP/2.0 183")
        assert {seen.header("X-Early") for seen in early} == {"yes"}
        assert all(seen.text.endswith("m=audio 9 RTP/AVP 0\r\n") for seen in early)
        answers = [seen for seen in played.received("SIP/2.0 200") if seen.header("CSeq") == "1 INVITE"]
        assert {seen.header("To") for seen in answers} == {seen.header("To") for seen in early}
        assert {line["to"] for line in played.events("early")} == {seen.header("To") for seen in early}


def test_prack(flows: Flows) -> None:
    for played in flows.play(PRACK):
        numbers = {line["rseq"] for line in played.events("early")}
        assert len(numbers) == CALLS, "each INVITE begins to count somewhere else"
        assert {line["rack"] for line in played.events("prack")} == {
            f"{number} 1 INVITE" for number in numbers
        }
        assert finals_of(played) == {("2 PRACK", "1 INVITE", "3 BYE")}


def test_an_answer_does_not_overtake_what_is_not_acknowledged(flows: Flows) -> None:
    for played in flows.play(PRACK_HASTY):
        assert len(played.events("answered")) == CALLS
        for call_id in played.call_ids():
            call = [seen for seen in played.run.messages if seen.header("Call-ID") == call_id]
            prack = next(
                n for n, seen in enumerate(call) if seen.sent and seen.start_line.startswith("PRACK")
            )
            answer = next(
                n
                for n, seen in enumerate(call)
                if seen.start_line.startswith("SIP/2.0 200") and seen.header("CSeq") == "1 INVITE"
            )
            assert answer > prack


def test_a_caller_that_demands_it_needs_nothing_of_the_application(flows: Flows) -> None:
    for played in flows.play(PRACK_DEMANDED):
        assert {seen.header("Require") for seen in played.received("SIP/2.0 183")} == {"100rel"}
        assert finals_of(played) == {("2 PRACK", "1 INVITE", "3 BYE")}
        assert len(played.events("early")) == CALLS


def finals_of(played: Played) -> set[tuple[str | None, ...]]:
    """The CSeqs of the final responses of each call, in their order, repetitions left out."""
    return {
        tuple(
            dict.fromkeys(
                seen.header("CSeq")
                for seen in played.received("SIP/2.0 200")
                if seen.header("Call-ID") == call_id
            )
        )
        for call_id in played.call_ids()
    }


def test_subscribe(flows: Flows) -> None:
    for played in flows.play(SUBSCRIBE):
        states = [str(line["state"]) for line in played.events("notified")]
        assert sorted(states) == sorted(["active;expires=60", "terminated;reason=noresource"] * CALLS)
        assert {line["status"] for line in played.events("notified")} == {200}
        contacts = {contact_uri(seen.header("Contact") or "") for seen in played.sent("SUBSCRIBE")}
        assert {seen.start_line for seen in played.received("NOTIFY")} == {
            f"NOTIFY {contact} SIP/2.0" for contact in contacts
        }
        assert {seen.header("Event") for seen in played.received("NOTIFY")} == {"presence"}


def test_a_subscription_is_refreshed_and_ended_by_the_watcher(flows: Flows) -> None:
    for played in flows.play(RESUBSCRIBE):
        for call_id in played.call_ids():
            said = [line for line in played.said if line["callId"] == call_id]
            states = [line["state"] for line in said if line["event"] == "notified"]
            assert states == ["active;expires=60", "active;expires=60", "terminated;reason=timeout"]
            assert [line["cseq"] for line in said if line["event"] == "refreshed"] == ["2 SUBSCRIBE"]
        assert {line["status"] for line in played.events("notified")} == {200}


def test_register_with_a_password(flows: Flows) -> None:
    for played in flows.play(REGISTER_DIGEST):
        assert len(played.events("challenge")) == CALLS
        assert {(line["username"], line["right"]) for line in played.events("register")} == {("1001", True)}
        challenges = {seen.header("WWW-Authenticate") for seen in played.received("SIP/2.0 401")}
        assert challenges == {'Digest realm="test", nonce="0123456789abcdef", algorithm=MD5'}


def test_the_route_set_is_honoured(flows: Flows) -> None:
    for played in flows.play(ROUTE_SET):
        recorded = {seen.header("Call-ID"): seen.header("Record-Route") for seen in played.sent("INVITE")}
        answers = [seen for seen in played.received("SIP/2.0 200") if seen.header("CSeq") == "1 INVITE"]
        assert {seen.header("Call-ID"): seen.header("Record-Route") for seen in answers} == recorded
        byes = distinct_calls(played, "BYE")
        assert {seen.header("Call-ID"): seen.header("Route") for seen in byes} == recorded


def contact_uri(contact: str) -> str:
    return contact.partition("<")[2].partition(">")[0]


def distinct_calls(played: Played, start: str) -> list[SeenMessage]:
    return list({seen.header("Call-ID"): seen for seen in played.received(start)}.values())
