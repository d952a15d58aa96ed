"""A reference server and its telephones steered by HTTP, for tests in any language.

One row of ``OPERATIONS`` is one operation: its path, what it takes, and what it does. The OpenAPI document is made of
them. Everything but the document wants the bearer token. Needs aiohttp (``pip install 'drachtio-conformance[http]'``).
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct, field

from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.peers.sip_peer import SipStateError
from drachtio_conformance.telephone.acts import Act, Answer, Ring
from drachtio_conformance.telephone.telephone import Played
from drachtio_testing.server import Phone, ReferenceServer, Transport
from msgtrace.octets import readable
from msgtrace.sip import SipMessage


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No body is needed."""


class NewPhone(Struct, frozen=True, forbid_unknown_fields=True):
    """A telephone to be made."""

    name: str
    transport: Transport = "udp"


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """A request that a telephone sends."""

    method: str
    user: str = "bob"
    """a user at the server, or a whole URI"""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    in_dialog: bool = False


class Awaited(Struct, frozen=True, forbid_unknown_fields=True):
    """The message that has to come next: a status, or the method of a request."""

    what: int | str
    skip: list[int | str] = field(default_factory=lambda: [100])
    within: float | None = None
    """seconds"""


class Response(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to the latest request that came."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


class CallTo(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call, and what to do in the call."""

    user: str = "bob"
    """a user at the server, or a whole URI"""
    headers: dict[str, str] = field(default_factory=dict)
    script: list[Act] = field(default_factory=list)
    """one act after the other; a call that they leave up stays up"""


class Taking(Struct, frozen=True, forbid_unknown_fields=True):
    """How a call is taken."""

    script: list[Act] = field(default_factory=lambda: [Ring(), Answer()])
    """one act after the other"""
    within: float | None = None
    """seconds in which it has to come"""


class Playing(Struct, frozen=True, forbid_unknown_fields=True):
    """What to do in the call that is up."""

    script: list[Act]


class Harm(Struct, frozen=True, forbid_unknown_fields=True):
    """What is done to what applications get (docs/guides/faults.md)."""

    faults: str
    """``split=1,no-pong``"""


class Passing(Struct, frozen=True, forbid_unknown_fields=True):
    """Time that passes for the server."""

    seconds: float


class Waiting(Struct, frozen=True, forbid_unknown_fields=True):
    """Applications to wait for."""

    count: int = 1
    routed: list[str] = field(default_factory=list)


class Event(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that has to be seen in the trace."""

    what: str
    """in the summary of the event: ``200 OK (INVITE)``, ``route invite``"""
    times: int = 1
    within: float | None = None
    """seconds"""


class Dropping(Struct, frozen=True, forbid_unknown_fields=True):
    """How an application's connection ends."""

    reset: bool = False


Told = Mapping[str, object]
Work = Callable[["Control", str, Any], Awaitable[Told]]


class Operation(Struct, frozen=True):
    """One thing that can be asked for."""

    method: str
    path: str
    summary: str
    takes: type[Struct]
    work: Work


class Control:
    """What the operations work on."""

    def __init__(self, server: ReferenceServer, token: str) -> None:
        self.server = server
        self._token = token
        self._phones: dict[str, Phone] = {}

    def phone(self, name: str) -> Phone:
        """The telephone of that name. Raises HTTPNotFound."""
        if name not in self._phones:
            known = ", ".join(self._phones) or "none"
            raise web.HTTPNotFound(text=_error(f"there is no telephone '{name}'; there are {known}"))
        return self._phones[name]

    async def new_phone(self, wanted: NewPhone) -> Phone:
        """Make one. Raises HTTPConflict."""
        if wanted.name in self._phones:
            raise web.HTTPConflict(text=_error(f"there is a telephone '{wanted.name}' already"))
        self._phones[wanted.name] = made = await self.server.phone(wanted.name, wanted.transport)
        return made

    def application(self) -> web.Application:
        """What aiohttp serves."""
        served = web.Application(middlewares=[self._guard])
        served.router.add_get("/openapi.json", _document)
        for operation in OPERATIONS:
            served.router.add_route(operation.method, operation.path, self._handler(operation))
        return served

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The token, and errors as JSON."""
        given = request.headers.get("Authorization", "")
        expected = f"Bearer {self._token}"
        if request.path != "/openapi.json" and not hmac.compare_digest(given.encode(), expected.encode()):
            return _json({"error": "expected the header 'Authorization: Bearer TOKEN'"}, status=401)
        try:
            return await handler(request)
        except (AssertionError, TimeoutError, SipStateError) as error:
            return _json({"error": str(error)}, status=409)
        except ValueError as error:
            return _json({"error": str(error)}, status=400)
        except web.HTTPException as error:
            if error.text and error.text.startswith("{"):
                error.content_type = "application/json"
                raise
            return _json({"error": error.reason}, status=error.status)

    def _handler(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            data = await request.read() or b"{}"
            try:
                body = msgspec.json.decode(data, type=operation.takes)
            except msgspec.DecodeError as error:
                return _json({"error": str(error)}, status=400)
            return _json(await operation.work(self, request.match_info.get("name", ""), body))

        return handle


def _json(value: Told, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _error(text: str) -> str:
    return msgspec.json.encode({"error": text}).decode()


def _message(message: SipMessage) -> Told:
    return {
        "start": readable(message.start_line),
        "status": message.status,
        "method": message.method,
        "headers": [{"name": each.name, "value": readable(each.value)} for each in message.fields],
        "body": readable(message.body),
    }


async def _show(control: Control, name: str, body: Nothing) -> Told:
    server = control.server
    return {
        "host": server.host,
        "port": server.port,
        "secret": server.secret,
        "sip": server.sips(),
        "faults": server.faults,
        "occupancy": server.occupancy(),
        "findings": server.findings,
    }


def _event(event: WireEvent) -> Told:
    return {
        "at": event.at,
        "kind": event.kind,
        "source": event.source,
        "target": event.target,
        "summary": event.summary,
        "data": readable(event.data),
    }


async def _trace(control: Control, name: str, body: Nothing) -> Told:
    events = [_event(event) for event in control.server.trace]
    return {"events": events, "ladder": control.server.ladder()}


async def _new_phone(control: Control, name: str, body: NewPhone) -> Told:
    phone = await control.new_phone(body)
    return {"name": body.name, "address": phone.address, "uri": phone.uri}


async def _send(control: Control, name: str, body: Request) -> Told:
    control.phone(name).send(
        body.method, body.user, headers=body.headers, body=body.body, in_dialog=body.in_dialog
    )
    return {}


async def _receive(control: Control, name: str, body: Awaited) -> Told:
    return _message(await control.phone(name).receive(body.what, skip=body.skip, within=body.within))


async def _respond(control: Control, name: str, body: Response) -> Told:
    control.phone(name).respond(body.status, headers=body.headers, body=body.body)
    return {}


async def _ack(control: Control, name: str, body: Nothing) -> Told:
    control.phone(name).ack()
    return {}


async def _cancel(control: Control, name: str, body: Nothing) -> Told:
    control.phone(name).cancel()
    return {}


def _played(played: Played) -> Told:
    """What became of a script, and the message: the final response to a caller's INVITE, a callee's INVITE."""
    if played.message is None:
        raise AssertionError(played.sentence)
    return {**_outcome(played), **_message(played.message)}


def _outcome(played: Played) -> Told:
    did = [{"act": each.act, "good": each.good, "told": readable(each.told)} for each in played.did]
    return {"good": played.good, "sentence": readable(played.sentence), "did": did}


async def _call(control: Control, name: str, body: CallTo) -> Told:
    phone = control.phone(name)
    return _played(await phone.play(*body.script, user=body.user, headers=body.headers))


async def _hang_up(control: Control, name: str, body: Nothing) -> Told:
    return _message(await control.phone(name).hang_up())


async def _take(control: Control, name: str, body: Taking) -> Told:
    return _played(await control.phone(name).take(*body.script, within=body.within))


async def _play(control: Control, name: str, body: Playing) -> Told:
    return _outcome(await control.phone(name).go_on(*body.script))


async def _hung_up(control: Control, name: str, body: Nothing) -> Told:
    return _message(await control.phone(name).hung_up())


async def _advance(control: Control, name: str, body: Passing) -> Told:
    await control.server.advance(body.seconds)
    return {}


async def _wait(control: Control, name: str, body: Waiting) -> Told:
    await control.server.applications(body.count, routed=body.routed)
    return {}


async def _happens(control: Control, name: str, body: Event) -> Told:
    return _event(await control.server.happens(body.what, times=body.times, within=body.within))


async def _drop(control: Control, name: str, body: Dropping) -> Told:
    control.server.drop_application(int(name) if name.isdecimal() else 0, reset=body.reset)
    return {}


async def _faults(control: Control, name: str, body: Nothing) -> Told:
    return {"faults": control.server.faults}


async def _do_harm(control: Control, name: str, body: Harm) -> Told:
    return {"faults": control.server.set_faults(body.faults)}


async def _do_no_harm(control: Control, name: str, body: Nothing) -> Told:
    return {"faults": control.server.set_faults("")}


OPERATIONS = (
    Operation(
        "GET", "/v1/server", "where applications and phones connect; what the server holds", Nothing, _show
    ),
    Operation("GET", "/v1/trace", "what has crossed the wires, and as a ladder", Nothing, _trace),
    Operation("POST", "/v1/wait", "wait for an event of the trace", Event, _happens),
    Operation("POST", "/v1/phones", "make a telephone", NewPhone, _new_phone),
    Operation("POST", "/v1/phones/{name}/call", "call and play a script; what became of it", CallTo, _call),
    Operation("POST", "/v1/phones/{name}/hang-up", "send BYE, return its final response", Nothing, _hang_up),
    Operation("POST", "/v1/phones/{name}/answer", "wait for a call and play a script", Taking, _take),
    Operation("POST", "/v1/phones/{name}/play", "play a script in the call that is up", Playing, _play),
    Operation("POST", "/v1/phones/{name}/hung-up", "wait for a BYE and answer it", Nothing, _hung_up),
    Operation("POST", "/v1/phones/{name}/send", "send any request, in the dialog or not", Request, _send),
    Operation("POST", "/v1/phones/{name}/receive", "wait for a response or request", Awaited, _receive),
    Operation("POST", "/v1/phones/{name}/respond", "answer the latest request", Response, _respond),
    Operation("POST", "/v1/phones/{name}/ack", "acknowledge the latest INVITE", Nothing, _ack),
    Operation("POST", "/v1/phones/{name}/cancel", "cancel the latest INVITE", Nothing, _cancel),
    Operation("POST", "/v1/applications", "wait for applications, and what they have routed", Waiting, _wait),
    Operation(
        "POST", "/v1/applications/{name}/drop", "end the connection of application 1, 2 …", Dropping, _drop
    ),
    Operation("GET", "/v1/faults", "the harm that is done to what applications get", Nothing, _faults),
    Operation("PUT", "/v1/faults", "do this harm from now on, and no other", Harm, _do_harm),
    Operation("DELETE", "/v1/faults", "do none", Nothing, _do_no_harm),
    Operation("POST", "/v1/advance", "let the server's time pass", Passing, _advance),
)


def openapi() -> dict[str, object]:
    """The OpenAPI 3.1 document."""
    types = list(dict.fromkeys(operation.takes for operation in OPERATIONS))
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        described: dict[str, object] = {
            "operationId": operation.work.__name__.lstrip("_"),
            "summary": operation.summary,
            "responses": {
                "200": {
                    "description": "done",
                    "content": {"application/json": {"schema": {"type": "object"}}},
                },
                "400": {"description": 'not what was expected: {"error": …}'},
                "401": {"description": 'not the token: {"error": …}'},
                "409": {"description": 'something else happened, or nothing in time: {"error": …}'},
            },
        }
        if "{name}" in operation.path:
            described["parameters"] = [
                {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
            ]
        if operation.takes is not Nothing or operation.method == "POST":
            schema = {"$ref": f"#/components/schemas/{operation.takes.__name__}"}
            described["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "drachtio-test-server", "version": "1"},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


async def _document(request: web.Request) -> web.Response:
    return _json(openapi())
