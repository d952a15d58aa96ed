"""``phone``: a telephone that is called; it takes calls as its script says, and tells what became of them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable

import msgspec

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.peers.admin_peer import ConnectFailed
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.report.visible import visible
from drachtio_conformance.telephone import lines
from drachtio_conformance.telephone.acts import Act, HungUp, Phase, Side, checked, leads_to
from drachtio_conformance.telephone.telephone import Telephone
from msgtrace import ladder

_LONGEST = 3600.0
"""seconds that a call may last that neither side ends"""
_GOODBYE = 1.0


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Take calls as ``options`` say; returns the exit code. Raises ScriptError."""
    script = checked(options.script, Side.CALLEE)
    if leads_to(script) is not Phase.OVER:
        script += (HungUp(_LONGEST),)
    try:
        return asyncio.run(_serve(options, script, say))
    except ConnectFailed as error:
        sys.stderr.write(f"drachtio-conformance: {visible(str(error))}\n")
        return ExitCode.USAGE


async def _serve(options: argparse.Namespace, script: tuple[Act, ...], say: Callable[[str], None]) -> int:
    recorder = Recorder()
    peer = await lines.listening(options.transport, recorder, host=options.host, port=options.port)
    phone = Telephone(peer, follows=True)
    say(msgspec.json.encode({"uri": lines.uri_of(peer)}).decode())
    sys.stdout.flush()
    code = ExitCode.OK
    try:
        for number in range(options.calls):
            taken = await phone.take(script, within=options.timeout)
            if taken is None:
                say(f"no call came within {options.timeout:g} s")
                return ExitCode.FAILURES if number else ExitCode.NO_PEER
            if options.json:
                caller = "" if taken.message is None else taken.message.first("From")
                told = {"good": taken.good, "sentence": taken.sentence, "did": taken.did, "caller": caller}
                say(msgspec.json.encode(told).decode())
            else:
                say(ladder.text(recorder.events, width=100).rstrip("\n"))
                say(f"\n{taken.sentence}")
            sys.stdout.flush()
            recorder.events.clear()
            if not taken.good:
                code = ExitCode.FAILURES
    finally:
        peer.close()
        await peer.endpoint.gone(_GOODBYE)
    return code
