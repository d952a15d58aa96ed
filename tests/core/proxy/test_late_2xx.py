"""A 2xx that meets the caller's CANCEL, or another final response: the server acknowledges and hangs up."""

from __future__ import annotations

from tests.core.proxy.stage import Stage


def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    stage.phone.send("CANCEL", same=True)
    assert stage.carol.take().method == "CANCEL"
    for _ in range(2):
        stage.carol.answer(invite, 200, f"Contact: <{stage.carol.uri}>", tag="t1")
    ack, bye, again = (stage.carol.take() for _ in range(3))
    assert (ack.method, bye.method, again.text) == ("ACK", "BYE", ack.text)
    assert ack.get("cseq") == "1 ACK"
    assert bye.get("cseq") == "2 BYE"
    assert (bye.uri, bye.get("route"), bye.to_tag) == (stage.carol.uri, "", "t1")
    stage.carol.answer(bye, 200)
    assert stage.statuses == [180, 200, 487]


def test_the_reason_and_the_route_of_the_bye(stage: Stage) -> None:
    """The far end's route set leads there, without the routes that name this server."""
    stage.world.network.routes[f"{stage.carol.uri};lr"] = stage.carol.flow
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    stage.phone.send("CANCEL", same=True)
    stage.carol.take()
    stage.carol.answer(invite, 200, f"Record-Route: <{stage.carol.uri};lr>", "Contact: <sip:deep@10.0.0.1>")
    ack, bye = stage.carol.take(), stage.carol.take()
    assert ack.all("route") == bye.all("route") == [f"<{stage.carol.uri};lr>"]
    assert bye.uri == "sip:deep@10.0.0.1"
    assert bye.get("reason") == 'SIP;cause=487;text="Request Terminated"'
    stage.carol.answer(bye, 200)


def test_without_a_way_it_is_told_to_those_who_watch(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    stage.phone.send("CANCEL", same=True)
    stage.carol.take()
    for _ in range(2):
        stage.carol.answer(invite, 200, "Contact: <sip:carol@nowhere.invalid>")
    assert stage.carol.nothing_more()
    names = [name for name, _ in stage.world.tap.events]
    assert names.count("bye-not-sent") == 2, "each time that it comes it is tried again"
