"""The network as the server uses it: contacts in, messages and flows out."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from reference_server.config.model import ContactConfiguration
from reference_server.core.ports import Endpoint, Flow, NoWay, SipNetwork, Way
from reference_server.net.locate.hosts import HostsFile
from reference_server.net.network import Network
from reference_server.net.sockets.listening import TransportError
from reference_server.sip.transport import UDP
from tests.conftest import Run
from tests.net.hearing import Hearing
from tests.net.nameserver import Nameserver

Messages = asyncio.Queue[tuple[str, Flow]]


async def _started(*contacts: ContactConfiguration) -> tuple[Network, Messages]:
    hearing = Hearing()
    network = Network()
    await network.start(contacts, hearing)
    return network, hearing.messages


async def _open(network: SipNetwork, next_hop: str) -> Way:
    outcome: asyncio.Future[Way] = asyncio.get_running_loop().create_future()
    network.open(next_hop, outcome.set_result)
    return await outcome


def test_one_contact_two_transports_one_port(run: Run) -> None:
    async def story() -> None:
        network, _ = await _started(ContactConfiguration(port=0))
        udp, tcp = network.endpoints()
        assert udp == Endpoint(UDP, "127.0.0.1", udp.port, "127.0.0.1", f"sip:127.0.0.1:{udp.port}")
        assert tcp.contact == f"sip:127.0.0.1:{udp.port};transport=tcp"
        assert network.hostports() == [f"udp/127.0.0.1:{udp.port}", f"tcp/127.0.0.1:{udp.port}"]
        await network.stop()
        assert network.endpoints() == ()

    run(story())


def test_user_and_external_address(run: Run) -> None:
    async def story() -> None:
        contact = ContactConfiguration(user="svc", port=0, transports=("tcp",), external_ip="9.9.9.9")
        network, _ = await _started(contact, ContactConfiguration(host="::1", port=0, transports=("udp",)))
        tcp, udp = network.endpoints()
        assert tcp.contact == f"sip:svc@9.9.9.9:{tcp.port};transport=tcp"
        assert (tcp.host, tcp.advertised_host) == ("127.0.0.1", "9.9.9.9")
        assert (udp.host, udp.advertised_host, udp.contact) == ("::1", "[::1]", f"sip:[::1]:{udp.port}")
        assert network.hostports() == [f"tcp/9.9.9.9:{tcp.port}", f"udp/[::1]:{udp.port}"]
        assert network.local_hostports() == [f"tcp/127.0.0.1:{tcp.port}", f"udp/[::1]:{udp.port}"]
        await network.stop()

    run(story())


def test_all_addresses_of_the_machine(run: Run) -> None:
    async def story() -> None:
        network, _ = await _started(ContactConfiguration(host="*", port=0, transports=("udp",)))
        hosts = [endpoint.host for endpoint in network.endpoints()]
        assert "127.0.0.1" in hosts
        assert "0.0.0.0" not in hosts
        assert len({endpoint.port for endpoint in network.endpoints()}) == 1
        await network.stop()

    run(story())


@pytest.mark.parametrize(
    ("first", "second"),
    [("127.0.0.1", "127.0.0.2"), ("::1", "::1"), ("localhost", "127.0.0.1")],
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_servers_talk(run: Run, first: str, second: str, transport: str) -> None:
    async def story() -> None:
        caller, answers = await _started(ContactConfiguration(host=first, port=0))
        callee, requests = await _started(ContactConfiguration(host=second, port=0))
        host = f"[{second}]" if ":" in second else second
        flow = await _open(caller, f"sip:bob@{host}:{callee.endpoints()[0].port};transport={transport}")
        assert isinstance(flow, Flow)
        assert flow.local in caller.endpoints()
        assert flow.transport.name == transport
        request = "OPTIONS sip:bob SIP/2.0\r\nContent-Length: 0\r\n\r\n"
        assert caller.send(request, flow)
        text, back = await requests.get()
        assert text == request
        assert (back.transport.name, back.remote_host) == (transport, flow.local.host)
        answer = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"
        assert callee.send(answer, back)
        assert await answers.get() == (answer, flow)
        assert caller.connections() == callee.connections() == (transport == "tcp")
        await caller.stop()
        await callee.stop()
        assert not caller.send(request, flow)

    run(story())


def test_localhost_resolves_and_literals_are_given_at_once(run: Run) -> None:
    async def story() -> None:
        network, _ = await _started(ContactConfiguration(port=0))
        flow = await _open(network, "sip:localhost:5070")
        assert isinstance(flow, Flow)
        assert (flow.remote_host, flow.remote_port) == ("127.0.0.1", 5070)
        outcomes: list[Way] = []
        for _ in range(2):
            network.open("sip:127.0.0.1:5070;lr", outcomes.append)
        network.open("sip:10.0.0.1;maddr=127.0.0.9", outcomes.append)
        assert outcomes[0] is outcomes[1] is flow
        last = outcomes[2]
        assert isinstance(last, Flow)
        assert (last.remote_host, last.remote_port) == ("127.0.0.9", 5060)
        await network.stop()

    run(story())


@pytest.mark.parametrize(
    ("next_hop", "error"),
    [
        ("sip:127.0.0.1;transport=ws", NoWay.NOT_AVAILABLE),
        ("sip:127.0.0.1;transport=tcp", NoWay.NOT_AVAILABLE),
        ("sip:[::1]", NoWay.NOT_AVAILABLE),
        ("sips:127.0.0.1", NoWay.UNSUPPORTED_SCHEME),
        ("tel:+123", NoWay.NOT_AVAILABLE),
        ("sip:no-such-host.invalid", NoWay.NAME_UNKNOWN),
        (f"sip:{'x' * 70}.invalid", NoWay.NAME_UNKNOWN),
        ("sip:a@127.0.0.1:99999", NoWay.INVALID_URI),
    ],
)
def test_nowhere_to_send(run: Run, next_hop: str, error: NoWay) -> None:
    async def story() -> None:
        network, _ = await _started(ContactConfiguration(port=0, transports=("udp",)))
        assert await _open(network, next_hop) == error
        await network.stop()

    run(story())


async def _named(nameserver: Nameserver, *transports: str) -> Network:
    network = Network(nameserver=nameserver.address, hosts=HostsFile(Path("/nonexistent")))
    await network.start([ContactConfiguration(port=0, transports=transports or ("udp", "tcp"))], Hearing())
    return network


async def _tried(network: Network, next_hop: str) -> list[Way]:
    """What a next hop leads to, and when that is of no use, and so on to the last word."""
    outcomes: list[Way] = []
    flows: list[Flow] = []
    while True:
        outcome: asyncio.Future[Way] = asyncio.get_running_loop().create_future()
        network.open(next_hop, outcome.set_result, flows)
        outcomes.append(await outcome)
        if not isinstance(outcomes[-1], Flow):
            return outcomes
        flows.append(outcomes[-1])


def _peers(flows: list[Way]) -> list[tuple[str, str, int] | NoWay]:
    return [
        one if isinstance(one, NoWay) else (one.transport.name, one.remote_host, one.remote_port)
        for one in flows
    ]


def test_a_name_leads_to_one_address_after_the_other(run: Run) -> None:
    async def story() -> None:
        zone = "_sip._udp.d SRV 1 0 5061 a\n_sip._udp.d SRV 2 0 5062 b\na A 127.0.0.2\nb A 127.0.0.3\nb AAAA ::1\n"
        async with Nameserver(zone) as nameserver:
            network = await _named(nameserver, "udp")
            assert _peers(await _tried(network, "sip:x@d.test")) == [
                ("udp", "127.0.0.2", 5061),
                ("udp", "127.0.0.3", 5062),
                NoWay.UNREACHABLE,
            ]
            assert _peers(await _tried(network, "sip:x@B.test:5099")) == [
                ("udp", "127.0.0.3", 5099),
                NoWay.UNREACHABLE,
            ]
            assert _peers(await _tried(network, "sip:x@127.0.0.1:5099")) == [
                ("udp", "127.0.0.1", 5099),
                NoWay.UNREACHABLE,
            ]
            assert await _open(network, "sip:x@nobody.test") == NoWay.NAME_UNKNOWN
            await network.stop()

    run(story())


def test_a_name_in_a_family_that_we_do_not_have(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "hosts").write_text("::1 six\n127.0.0.1 both\n::1 both\n")
        network = Network(hosts=HostsFile(tmp_path / "hosts"), nameserver=("127.0.0.1", 9))
        await network.start([ContactConfiguration(port=0, transports=("udp",))], Hearing())
        assert await _open(network, "sip:six") == NoWay.NAME_UNKNOWN
        assert _peers([await _open(network, "sip:both")]) == [("udp", "127.0.0.1", 5060)]
        assert await _open(network, "sip:both;transport=tcp") == NoWay.NOT_AVAILABLE
        await network.stop()

    run(story())


def test_a_connection_that_is_refused_leads_to_the_next_address(run: Run) -> None:
    async def story() -> None:
        callee, _ = await _started(ContactConfiguration(port=0, transports=("tcp",)))
        port = callee.endpoints()[0].port
        zone = (
            "_sip._tcp.d SRV 1 0 9 refusing\n_sip._tcp.d SRV 2 0 PORT here\n_sip._tcp.d SRV 3 0 9 refusing\n"
            "refusing A 127.0.0.7\nhere A 127.0.0.1\n"
        ).replace("PORT", str(port))
        async with Nameserver(zone) as nameserver:
            network = await _named(nameserver, "tcp")
            assert _peers(await _tried(network, "sip:d.test")) == [
                ("tcp", "127.0.0.1", port),
                NoWay.UNREACHABLE,
            ]
            await network.stop()
        await callee.stop()

    run(story())


def test_a_slow_nameserver_delays_no_other_name(run: Run) -> None:
    async def story() -> None:
        async with Nameserver("a A 127.0.0.2\n") as nameserver:
            network = await _named(nameserver)
            await _open(network, "sip:a.test:5060")
            nameserver.silent = {"*"}
            outcomes: list[Way] = []
            for number in range(500):
                network.open(f"sip:n{number}.test", outcomes.append)
            began = time.monotonic()
            for next_hop in ("sip:a.test:5060", "sip:127.0.0.1:5060", "sip:localhost", "sip:x.invalid"):
                network.open(next_hop, outcomes.append)
            assert time.monotonic() - began < 2
            assert _peers(outcomes) == [
                ("udp", "127.0.0.2", 5060),
                ("udp", "127.0.0.1", 5060),
                ("udp", "127.0.0.1", 5060),
                NoWay.NAME_UNKNOWN,
            ]
            await network.stop()
            assert len(outcomes) == 4

    run(story())


def test_a_dead_tcp_destination(run: Run) -> None:
    async def story() -> None:
        warnings: list[str] = []
        network = Network(warnings.append)
        await network.start([ContactConfiguration(port=0)], Hearing())
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            assert await _open(network, f"sip:127.0.0.1:{port};transport=tcp") == NoWay.UNREACHABLE
        assert len(warnings) == 1
        await network.stop()

    run(story())


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (
            ContactConfiguration(scheme="sips", transports=("tls",)),
            "cannot listen on tls/127.0.0.1:5061: expected <tls> with a key-file",
        ),
        (
            ContactConfiguration(transports=("udp", "wss")),
            "wss/127.0.0.1:5060: expected <tls> with a key-file",
        ),
        (
            ContactConfiguration(host="no-such-host.invalid"),
            "sip/no-such-host.invalid:5060: the name does not",
        ),
        (
            ContactConfiguration(host="203.0.113.1", port=1),
            "tcp/203.0.113.1:1: Cannot assign requested address",
        ),
    ],
)
def test_a_contact_that_cannot_listen_frees_the_others(
    run: Run, contact: ContactConfiguration, reason: str
) -> None:
    async def story() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        network = Network()
        with pytest.raises(TransportError) as error:
            await network.start([ContactConfiguration(port=port), contact], Hearing())
        assert reason in str(error.value)
        network, _ = await _started(ContactConfiguration(port=port))
        await network.stop()

    run(story())


def test_stop_ends_what_is_pending(run: Run) -> None:
    async def story() -> None:
        network, _ = await _started(ContactConfiguration(port=0))
        outcomes: list[Way] = []
        network.open("sip:localhost;transport=tcp", outcomes.append)
        network.open("sip:127.0.0.1:9;transport=tcp", outcomes.append)
        await network.stop()
        assert outcomes == []

    run(story())


def test_the_addresses_of_a_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("192.0.2.7 app.test\n192.0.2.8 app.test\n")

    async def story() -> None:
        network = Network(hosts=HostsFile(tmp_path / "hosts"), nameserver=("127.0.0.1", 9))
        heard: list[tuple[str, ...]] = []

        def done(addresses: Sequence[str]) -> None:
            heard.append(tuple(addresses))

        network.addresses("app.test", done)  # nobody looks names up before the start
        await network.start((ContactConfiguration(port=0),), Hearing())
        for name in ("app.test", "::1", "127.0.0.1", "nosuch.invalid"):
            network.addresses(name, done)
        await network.stop()
        assert heard == [(), ("192.0.2.7", "192.0.2.8"), ("::1",), ("127.0.0.1",), ()]

    run(story())
