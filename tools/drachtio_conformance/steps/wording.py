"""Says in words what a step does, for reports."""

from __future__ import annotations

from drachtio_conformance.peers.variables import spelled_out
from drachtio_conformance.steps import vocabulary
from drachtio_conformance.steps.patterns import cut_tokens
from drachtio_conformance.steps.vocabulary import Step


def sentence(step: Step) -> str:
    """One line, in the present tense, with the names of the case."""
    return spelled_out(_words(step))


def _words(step: Step) -> str:
    match step:
        case vocabulary.Connect(name=name):
            return f"{name} connects to the admin port"
        case vocabulary.Authenticate(app=app, tags=tags):
            return f"{app} authenticates" + (f" with tags {tags}" if tags else "")
        case vocabulary.Route(verb=verb, app=app):
            return f"{app} asks for {_listed(verb)}"
        case vocabulary.RemoveRoute(verb=verb, app=app):
            return f"{app} no longer wants {_listed(verb)}"
        case vocabulary.Ping(app=app):
            return f"{app} pings and is ponged"
        case vocabulary.Send(app=app, tokens=tokens, sip=sip):
            what = "|".join(cut_tokens(tokens)) if tokens is not None else "a bare message id"
            return f"{app} sends {what}" + (f": {sip.splitlines()[0]}" if sip else "")
        case vocabulary.SendBytes(app=app, split=split):
            return f"{app} sends octets" + (" in pieces" if split is not None else "")
        case vocabulary.Expect(app=app, tokens=tokens, start=start):
            return f"{app} gets {'|'.join(cut_tokens(tokens))}" + (f": {start}" if start else "")
        case vocabulary.ExpectClose(of=of):
            return f"the server closes the connection of {of}"
        case vocabulary.ExpectNothing(app=app):
            return f"{app} gets nothing"
        case vocabulary.Close(of=of):
            return f"{of} closes"
        case vocabulary.Abort(of=of):
            return f"{of} breaks its connection"
        case vocabulary.SipPeer(name=name, transport=transport):
            return f"{name} listens on {transport}"
        case vocabulary.SipRequest(method=method, peer=peer, in_dialog=in_dialog):
            return f"{peer} sends {method}" + (" in the dialog" if in_dialog else "")
        case vocabulary.SipSend(peer=peer, sip=sip):
            return f"{peer} sends " + (sip.splitlines()[0] if sip else "octets")
        case vocabulary.SipExpect():
            return f"{step.peer} gets {_sip_wanted(step)}"
        case vocabulary.SipNothing(peer=peer):
            return f"{peer} gets nothing"
        case vocabulary.SipRespond(status=status, peer=peer):
            return f"{peer} answers {status}"
        case vocabulary.SipAck(peer=peer):
            return f"{peer} acknowledges"
        case vocabulary.SipCancel(peer=peer):
            return f"{peer} cancels"
        case vocabulary.SipRetransmit(peer=peer):
            return f"{peer} sends the same again"
        case vocabulary.Respond(status=status, app=app, answer=answer):
            return f"{app} answers {status}" + ("" if answer is None else f" and gets {answer}")
        case vocabulary.Advance(duration=duration):
            return f"{duration} pass"
        case vocabulary.CallSucceeds():
            return "a call succeeds"
        case vocabulary.Alive():
            return "the server still serves a new application"
        case vocabulary.Note(text=text):
            return text


def _listed(verb: str | list[str]) -> str:
    return verb if isinstance(verb, str) else ", ".join(verb)


def _sip_wanted(step: vocabulary.SipExpect) -> str:
    parts = [
        str(step.status) if step.status is not None else "",
        f"({step.method})" if step.status is not None and step.method else step.method or "",
        step.start or "",
        "again" if step.retransmission else "",
    ]
    return " ".join(part for part in parts if part) or "a SIP message"
