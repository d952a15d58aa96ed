"""A reference server and its telephones steered by HTTP, for tests in any language.

One row of ``OPERATIONS`` is one operation: its path, what it takes, and what it does. The OpenAPI document is made of
them. Everything but the document wants the bearer token. Needs aiohttp (``pip install 'drachtio-conformance[http]'``).
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec
from aiohttp import web
from msgspec import Struct, field

from drachtio_testing.server import Phone, ReferenceServer
from msgtrace.octets import readable
from msgtrace.sip import SipMessage


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No body is needed."""


class NewPhone(Struct, frozen=True, forbid_unknown_fields=True):
    """A telephone to be made."""

    name: str
    transport: Literal["udp", "tcp"] = "udp"


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
    """Whom to call."""

    user: str = "bob"
    headers: dict[str, str] = field(default_factory=dict)


class Taking(Struct, frozen=True, forbid_unknown_fields=True):
    """How a call is taken."""

    status: int = 200
    rings: bool = True


class Passing(Struct, frozen=True, forbid_unknown_fields=True):
    """Time that passes for the server."""

    seconds: float


class Waiting(Struct, frozen=True, forbid_unknown_fields=True):
    """Applications to wait for."""

    count: int = 1
    routed: list[str] = field(default_factory=list)


class Dropping(Struct, frozen=True, forbid_unknown_fields=True):
    """How an application's connection ends."""

    reset: bool = False


Answer = Mapping[str, object]
Work = Callable[["Control", str, Any], Awaitable[Answer]]


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
        except (AssertionError, TimeoutError) as error:
            return _json({"error": str(error)}, status=409)
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


def _json(value: Answer, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _error(text: str) -> str:
    return msgspec.json.encode({"error": text}).decode()


def _message(message: SipMessage) -> Answer:
    return {
        "start": readable(message.start_line),
        "status": message.status,
        "method": message.method,
        "headers": [{"name": each.name, "value": readable(each.value)} for each in message.fields],
        "body": readable(message.body),
    }


async def _show(control: Control, name: str, body: Nothing) -> Answer:
    server = control.server
    return {
        "host": server.host,
        "port": server.port,
        "secret": server.secret,
        "sip": {"udp": server.sip("udp"), "tcp": server.sip("tcp")},
        "occupancy": server.occupancy(),
        "findings": server.findings,
    }


async def _trace(control: Control, name: str, body: Nothing) -> Answer:
    events = [
        {
            "at": event.at,
            "kind": event.kind,
            "source": event.source,
            "target": event.target,
            "summary": event.summary,
            "data": readable(event.data),
        }
        for event in control.server.trace
    ]
    return {"events": events, "ladder": control.server.ladder()}


async def _new_phone(control: Control, name: str, body: NewPhone) -> Answer:
    phone = await control.new_phone(body)
    return {"name": body.name, "address": phone.address, "uri": phone.uri}


async def _send(control: Control, name: str, body: Request) -> Answer:
    control.phone(name).send(
        body.method, body.user, headers=body.headers, body=body.body, in_dialog=body.in_dialog
    )
    return {}


async def _receive(control: Control, name: str, body: Awaited) -> Answer:
    return _message(await control.phone(name).receive(body.what, skip=body.skip, within=body.within))


async def _respond(control: Control, name: str, body: Response) -> Answer:
    control.phone(name).respond(body.status, headers=body.headers, body=body.body)
    return {}


async def _ack(control: Control, name: str, body: Nothing) -> Answer:
    control.phone(name).ack()
    return {}


async def _cancel(control: Control, name: str, body: Nothing) -> Answer:
    control.phone(name).cancel()
    return {}


async def _call(control: Control, name: str, body: CallTo) -> Answer:
    return _message(await control.phone(name).call(body.user, headers=body.headers))


async def _hang_up(control: Control, name: str, body: Nothing) -> Answer:
    return _message(await control.phone(name).hang_up())


async def _take(control: Control, name: str, body: Taking) -> Answer:
    return _message(await control.phone(name).answer(body.status, rings=body.rings))


async def _hung_up(control: Control, name: str, body: Nothing) -> Answer:
    return _message(await control.phone(name).hung_up())


async def _advance(control: Control, name: str, body: Passing) -> Answer:
    await control.server.advance(body.seconds)
    return {}


async def _wait(control: Control, name: str, body: Waiting) -> Answer:
    await control.server.applications(body.count, routed=body.routed)
    return {}


async def _drop(control: Control, name: str, body: Dropping) -> Answer:
    control.server.drop_application(int(name) if name.isdecimal() else 0, reset=body.reset)
    return {}


OPERATIONS = (
    Operation(
        "GET", "/v1/server", "where applications and phones connect; what the server holds", Nothing, _show
    ),
    Operation("GET", "/v1/trace", "what has crossed the wires, and as a ladder", Nothing, _trace),
    Operation("POST", "/v1/phones", "make a telephone", NewPhone, _new_phone),
    Operation(
        "POST", "/v1/phones/{name}/call", "call, acknowledge, return the final response", CallTo, _call
    ),
    Operation("POST", "/v1/phones/{name}/hang-up", "send BYE, return its final response", Nothing, _hang_up),
    Operation("POST", "/v1/phones/{name}/answer", "wait for a call and answer it; its INVITE", Taking, _take),
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
                "409": {"description": 'something else happened, or nothing in time: {"error": …}'},
            },
        }
        if "{name}" in operation.path:
            described["parameters"] = [
                {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
            ]
        if operation.method == "POST":
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
