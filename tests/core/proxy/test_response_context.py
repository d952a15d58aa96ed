"""A proxied request from the application's word to the caller's final response."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.messages.uri import tag_of
from reference_server.sip.route_token import without_token
from reference_server.sip.transport import TCP
from tests.core.proxy.stage import Callee, Stage
from tests.core.world import (
    BY_TCP,
    TCP_ENDPOINT,
    Phone,
    World,
    sip_of,
    status_of,
    tokens_of,
    transaction_id_of,
)

FULL = "remainInDialog|fullResponse||serial||"


def test_a_call_goes_through(stage: Stage) -> None:
    assert tokens_of(stage.start(stage.carol.uri))[3:] == ["OK", "done"]
    invite = stage.carol.take()
    branch = invite.all("via")[0].partition("branch=")[2]
    assert len(branch) == len("z9hG4bK") + 36
    assert invite.lines[:8] == [
        f"INVITE {stage.carol.uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch={branch}",
        f"Via: SIP/2.0/UDP 127.0.0.1:5080;branch={stage.phone.branch};rport=5080",
        f"Record-Route: <sip:127.0.0.1:5060;lr{stage.route_token()}>",
        "Max-Forwards: 69",
        f"From: {stage.phone.from_}",
        f"To: {stage.phone.to}",
        f"Call-ID: {stage.phone.call_id}",
    ]
    stage.carol.answer(invite, 180)
    stage.carol.answer(invite, 200, "Contact: <sip:carol@127.0.0.1:5090>", body="v=0\r\n")
    assert stage.statuses == [180, 200]
    ok = stage.heard[-1]
    assert ok.all("via") == [f"SIP/2.0/UDP 127.0.0.1:5080;branch={stage.phone.branch};rport=5080"]
    assert ok.body == "v=0\r\n"
    assert ok.all("record-route") == [f"<sip:127.0.0.1:5060;lr{stage.route_token()}>"]


def test_a_repeated_2xx_is_passed_on_each_time(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 200)
    stage.carol.answer(invite, 200)
    assert stage.statuses == [200, 200]


def test_the_next_target_after_a_failure_and_the_best_response(stage: Stage) -> None:
    assert stage.start(stage.carol.uri, stage.dan.uri, options=FULL) == ""
    stage.carol.answer(stage.carol.take(), 404)
    assert stage.statuses == []
    assert stage.carol.take().method == "ACK"
    invite = stage.dan.take()
    assert invite.uri == stage.dan.uri
    stage.dan.answer(invite, 503)
    assert stage.statuses == [404]
    first, second, last = stage.application.take()
    assert tokens_of(first)[3:9] == ["OK", "network", str(len(sip_of(first))), "udp", "127.0.0.1", "5090"]
    assert tokens_of(first)[10:] == ["", "", "continue"]
    assert tokens_of(second)[8] == "5091"
    assert tokens_of(last)[3:] == ["OK", "done"]


@pytest.mark.parametrize("simultaneous", [False, True])
def test_unknown_words_are_no_flags(stage: Stage, simultaneous: bool) -> None:
    word = "simultaneous" if simultaneous else "SIMULTANEOUS"
    stage.start(stage.carol.uri, stage.dan.uri, options=f"REMAININDIALOG|true|true|{word}|5m|abc")
    assert stage.carol.take().get("record-route") == ""
    assert stage.dan.nothing_more() != simultaneous


def test_all_at_once_the_first_2xx_wins_and_the_rest_is_cancelled(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="||| simultaneous||".replace(" ", ""))
    first, second = stage.carol.take(), stage.dan.take()
    stage.carol.answer(first, 180)
    stage.dan.answer(second, 180)
    stage.carol.answer(first, 200)
    cancel = stage.dan.take()
    assert cancel.method == "CANCEL"
    assert cancel.all("via") == second.all("via")[:1]
    assert cancel.uri == second.uri
    assert cancel.get("reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    stage.dan.answer(cancel, 200)
    stage.dan.answer(second, 487)
    assert stage.statuses == [180, 180, 200]
    assert stage.dan.take().method == "ACK"


def test_every_2xx_of_a_race_reaches_the_caller(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="|||simultaneous||")
    stage.carol.answer(stage.carol.take(), 200, tag="c")
    stage.dan.answer(stage.dan.take(), 200, tag="d")
    assert [tag_of(response.get("to")) for response in stage.heard] == ["c", "d"]


def test_a_6xx_leaves_the_other_targets_ringing(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="|||simultaneous||")
    first, second = stage.carol.take(), stage.dan.take()
    stage.dan.answer(second, 180)
    stage.carol.answer(first, 603)
    assert stage.statuses == [180]
    assert stage.dan.nothing_more()
    stage.dan.answer(second, 200)
    assert stage.statuses == [180, 200]


def test_a_6xx_does_not_end_the_search_and_is_the_best_failure(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri)
    stage.carol.answer(stage.carol.take(), 600)
    assert stage.statuses == []
    stage.dan.answer(stage.dan.take(), 486)
    assert stage.statuses == [600]


def test_after_the_last_target_the_caller_hears_408(stage: Stage) -> None:
    stage.start(stage.carol.uri, options="|fullResponse||serial|1s|")
    stage.world.advance(1)
    assert stage.statuses == [408]
    assert [tokens_of(text)[3:] for text in stage.application.take()] == [["OK", "done"]]


def test_the_caller_cancels(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="|fullResponse||simultaneous||")
    first, second = stage.carol.take(), stage.dan.take()
    stage.carol.answer(first, 180)
    stage.phone.send("CANCEL", 'Reason: SIP;cause=600;text="enough"', same=True)
    assert [(one.status, one.cseq_method) for one in stage.heard] == [
        (180, "INVITE"),
        (200, "CANCEL"),
        (487, "INVITE"),
    ]
    cancel = stage.carol.take()
    assert (cancel.method, cancel.get("reason")) == ("CANCEL", 'SIP;cause=600;text="enough"')
    assert stage.dan.nothing_more()
    stage.dan.answer(second, 100)
    assert stage.dan.take().method == "CANCEL"
    stage.carol.answer(first, 487)
    stage.carol.answer(cancel, 200)
    assert len(stage.application.take()) == 1
    stage.dan.answer(second, 487)
    assert [tokens_of(text)[-1] for text in stage.application.take()] == ["continue", "done"]
    assert stage.statuses == [180, 200, 487]


def test_a_second_cancel_of_the_same_call_changes_nothing(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    stage.phone.send("CANCEL", same=True)
    stage.phone.send("CANCEL", same=True)
    assert stage.statuses == [200, 487, 200]


def test_the_application_goes_and_the_call_goes_on(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options=FULL)
    stage.application.leave()
    stage.carol.answer(stage.carol.take(), 486)
    stage.dan.answer(stage.dan.take(), 200)
    assert stage.statuses == [200]


@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "INFO"])
def test_other_methods_end_with_a_final_response(stage: Stage, method: str) -> None:
    stage.request(method)
    stage.world.advance(3)
    stage.proxy(stage.carol.uri, options=FULL)
    request = stage.carol.take()
    assert (request.method, request.get("max-forwards")) == (method, "69")
    stage.world.advance(28.4)
    assert stage.statuses == []
    stage.world.advance(0.11)
    assert stage.statuses == [504]
    assert [tokens_of(text)[3:] for text in stage.application.take()] == [["OK", "done"]]


@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE"])
def test_a_way_that_is_never_found_ends_with_a_final_response(stage: Stage, method: str) -> None:
    """Nobody says that the target cannot be reached: the name servers are silent."""
    stage.world.network.pending = []
    stage.request(method)
    stage.proxy("sip:carol@example.org")
    stage.world.advance(31.9)
    assert stage.statuses == [500]


def test_another_method_is_answered(stage: Stage) -> None:
    stage.request("OPTIONS")
    stage.proxy(stage.carol.uri, options=FULL)
    request = stage.carol.take()
    stage.carol.answer(request, 200)
    stage.carol.answer(request, 200)
    assert stage.statuses == [200]
    assert [tokens_of(text)[-1] for text in stage.application.take()] == ["continue", "done"]


def test_register_asks_for_the_way_back(stage: Stage) -> None:
    stage.request("REGISTER", "Contact: <sip:alice@127.0.0.1:5080>", "Require: gruu")
    stage.proxy("sip:127.0.0.1:5090")
    request = stage.carol.take()
    assert request.uri == "sip:127.0.0.1:5090"
    assert request.get("path") == "<sip:127.0.0.1:5060;lr>"
    assert request.get("require") == "gruu, path"
    assert "record-route" not in request.first
    stage.carol.answer(request, 200)


def test_redirections_in_their_order_and_each_only_once(stage: Stage) -> None:
    stage.start(stage.carol.uri, options="|fullResponse|followRedirects|serial||")
    eve = type(stage.carol)(stage.world, 5092, "eve")
    contacts = f"<{stage.dan.uri}?Subject=x>;q=0.3, <{eve.uri}>;q=0.8, <tel:+1>, <{stage.carol.uri}>"
    stage.carol.answer(stage.carol.take(), 302, f"Contact: {contacts}")
    first = stage.dan.take()
    assert first.uri == stage.dan.uri
    stage.dan.answer(first, 302, f"Contact: <{stage.carol.uri}>")  # back to where it was: not again
    second = eve.take()
    eve.answer(second, 404)
    assert stage.statuses == [404]
    assert [tokens_of(text)[-1] for text in stage.application.take()] == ["continue"] * 3 + ["done"]
    assert stage.carol.take().method == "ACK"
    assert stage.carol.nothing_more()


def test_redirections_come_to_an_end(stage: Stage) -> None:
    stage.start(stage.carol.uri, options="||followRedirects|serial||")
    callee = stage.carol
    tried = 0
    for port in range(6000, 6100):
        following = type(stage.carol)(stage.world, port)
        callee.answer(callee.take(), 302, f"Contact: <{following.uri}>")
        if not following.received:
            break
        tried += 1
        callee = following
    assert tried == 32
    assert stage.statuses == [302]


def test_a_redirection_that_is_not_followed(stage: Stage) -> None:
    stage.start(stage.carol.uri, options="|||serial||")
    stage.carol.answer(stage.carol.take(), 302, f"Contact: <{stage.dan.uri}>")
    assert stage.statuses == [302]
    assert stage.heard[-1].get("contact") == f"<{stage.dan.uri}>"


def test_challenges_of_several_targets_are_put_together(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="|||simultaneous||")
    first, second = stage.carol.take(), stage.dan.take()
    stage.carol.answer(first, 401, 'WWW-Authenticate: Digest realm="c", nonce="1"')
    stage.dan.answer(second, 407, 'Proxy-Authenticate: Digest realm="d", nonce="2"')
    (final,) = stage.heard
    assert final.get("www-authenticate") == 'Digest realm="c", nonce="1"'
    assert final.get("proxy-authenticate") == 'Digest realm="d", nonce="2"'


def test_reliable_provisional_responses_pass_unchanged(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 183, "RSeq: 1000", "Require: 100rel")
    stage.carol.answer(invite, 183, "RSeq: 1000", "Require: 100rel")
    assert [(one.status, one.get("rseq")) for one in stage.heard] == [(183, "1000"), (183, "1000")]
    stage.carol.answer(invite, 486)


def test_what_lies_behind_a_body_does_not_reach_the_caller(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 200, body="v=0\r\nSIP/2.0 200 OK\r\n\r\n", cut=18)
    assert stage.heard[0].text.endswith("Content-Length: 5\r\n\r\nv=0\r\n")


def test_a_caller_by_tcp_and_a_callee_by_udp(world: World) -> None:
    stage = Stage(world, BY_TCP)
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    assert [without_token(value) for value in invite.all("record-route")] == [
        "<sip:127.0.0.1:5060;lr>",
        "<sip:127.0.0.1:5060;transport=tcp;lr>",
    ]
    stage.carol.answer(invite, 200)
    assert stage.heard[0].get("content-length") == "0"
    stage.world.advance(32)
    stage.carol.answer(invite, 200)  # too late for the transaction


def test_many_targets_that_cannot_be_reached_do_not_exhaust_the_stack(stage: Stage) -> None:
    answer = stage.start(*(f"sip:x@127.0.0.2:{port}" for port in range(2000, 7000)))
    assert tokens_of(answer)[3:] == ["NOK", "error proxying request to "]
    assert stage.statuses == [500]


def test_a_caller_whose_connection_is_gone_hears_the_answer_by_a_new_one(world: World) -> None:
    anew = Flow(TCP, "127.0.0.1", 5080, TCP_ENDPOINT, 2)
    world.network.routes["sip:127.0.0.1:5080;transport=tcp"] = anew
    stage = Stage(world, BY_TCP)
    stage.start(stage.carol.uri)
    world.network.broken.add(BY_TCP.connection)
    world.core.connection_lost(BY_TCP)
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    stage.carol.answer(invite, 200)
    stage.carol.answer(invite, 200)
    by_new = [status_of(text) for _, flow, text in world.network.sent if flow is anew]
    assert by_new == [180, 200, 200]
    world.advance(64)


def test_a_phone_behind_a_nat_is_reached_by_the_connection_that_registered_it(stage: Stage) -> None:
    world = stage.world
    connection = Flow(TCP, "127.0.0.1", 40123, TCP_ENDPOINT, 3)
    ali = Callee(world, 40123, "ali", connection)
    Phone(world, "ali", connection).send("REGISTER", "Contact: <sip:ali@abc.invalid;transport=tcp>")
    stage.application.answer(transaction_id_of(stage.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.network.take()
    assert tokens_of(stage.start("sip:ali@abc.invalid;transport=tcp"))[3:] == ["OK", "done"]
    invite = ali.take()
    assert invite.uri == "sip:ali@abc.invalid;transport=tcp"
    ali.answer(invite, 200, "Contact: <sip:ali@abc.invalid;transport=tcp>")
    stage.phone.learn(stage.heard[-1].text)
    for method in ("ACK", "BYE"):  # a dialog in which we stay goes the same way
        text = stage.phone.text(method, f"Route: <sip:127.0.0.1:5060;lr{stage.route_token()}>")
        start = f"{method} sip:ali@abc.invalid;transport=tcp SIP/2.0"
        world.receive(text.replace(text.partition("\r\n")[0], start), stage.phone.flow)
    assert ali.take().method == "ACK"
    bye = ali.take()
    assert bye.method == "BYE"
    ali.answer(bye, 200)
    assert stage.statuses == [200, 200]
    world.core.connection_lost(connection)


@pytest.mark.parametrize("contact", ["sip:127.0.0.1:5090", "sip:edge@127.0.0.1:5090;lr"])
def test_no_registration_diverts_what_goes_to_a_proxy(stage: Stage, contact: str) -> None:
    connection = Flow(TCP, "127.0.0.1", 40123, TCP_ENDPOINT, 3)
    Phone(stage.world, "ali", connection).send("REGISTER", f"Contact: <{contact}>")
    stage.application.answer(transaction_id_of(stage.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    stage.world.network.take()
    stage.world.network.routes[contact] = stage.carol.flow
    stage.start(contact)
    stage.carol.answer(stage.carol.take(), 486)
    assert stage.statuses == [486]
    stage.world.core.connection_lost(connection)


def test_a_registered_connection_counts_more_than_the_outbound_proxy(
    worlds: Callable[[Settings], World],
) -> None:
    stage = Stage(worlds(Settings(outbound_proxy="sip:127.0.0.1:5090")))
    connection = Flow(TCP, "127.0.0.1", 40123, TCP_ENDPOINT, 3)
    ali = Callee(stage.world, 40123, "ali", connection)
    Phone(stage.world, "ali", connection).send("REGISTER", "Contact: <sip:ali@abc.invalid>")
    stage.application.answer(transaction_id_of(stage.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    stage.world.network.take()
    stage.start("sip:ali@abc.invalid", "sip:eve@abc.invalid")
    ali.answer(ali.take(), 486)
    stage.carol.answer(stage.carol.take(), 603)
    assert stage.statuses == [603]
    stage.world.core.connection_lost(connection)
