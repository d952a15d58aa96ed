"""The blacklist: a set in Redis of the addresses that are not heard, read again from time to time.

It is read from the server that is configured, or from the replicas that sentinels name, or from the master where there
is none. While Redis cannot be asked the addresses stay as they were last, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from reference_server.config.model import BlacklistConfiguration
from reference_server.net.sockets.listening import literal_address

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PATIENCE = 5.0  # seconds for one answer
_AFTER_FAILURE = 60.0  # seconds, as in the genuine server
_PROTOCOL = 2  # of Redis; the one that every release speaks
_MOST_NAMED = 3  # members that are no address, in one warning


class BlacklistError(Exception):
    """There can be no blacklist; the text says what is missing."""


class Blacklist:
    """Reads the set in the running loop until it is stopped."""

    def __init__(
        self,
        configuration: BlacklistConfiguration,
        apply: Callable[[frozenset[str]], None],
        tell: Callable[[str], None],
        *,
        after_failure: float = _AFTER_FAILURE,
    ) -> None:
        """``apply`` gets the addresses whenever they were read, ``tell`` a line of what cannot be read.

        ``after_failure`` are the seconds until Redis is asked again. Raises BlacklistError without the library.
        """
        if find_spec("redis") is None:
            raise BlacklistError("blacklist: expected the Python library redis to be installed")
        self._configuration = configuration
        self._apply = apply
        self._tell = tell
        self._after_failure = min(after_failure, configuration.refresh)
        self._known: frozenset[str] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.get_running_loop().create_task(self._read_again_and_again())

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read_again_and_again(self) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                async with asyncio.timeout(2 * _PATIENCE):
                    members = await self._read()
            except (RedisError, OSError, TimeoutError) as reason:
                self._tell(f"blacklist: cannot read it: {self._without_password(reason)}")
                await asyncio.sleep(self._after_failure)
                continue
            self._heed(members)
            await asyncio.sleep(self._configuration.refresh)

    async def _read(self) -> Iterable[str | bytes]:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.asyncio.sentinel import Sentinel
        from redis.backoff import NoBackoff

        wanted = self._configuration
        password = wanted.password or None
        once = Retry(NoBackoff(), 0)
        if wanted.address:
            return await _members(
                Redis(
                    host=wanted.address,
                    port=wanted.port,
                    password=password,
                    socket_timeout=_PATIENCE,
                    socket_connect_timeout=_PATIENCE,
                    retry=once,
                    protocol=_PROTOCOL,
                ),
                wanted.key,
            )
        limits = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE, "protocol": _PROTOCOL}
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            list(wanted.sentinels), sentinel_kwargs={**limits, "retry": once}, **limits
        )
        try:
            return await _members(
                sentinel.slave_for(wanted.master, password=password, retry=once), wanted.key
            )
        finally:
            for one in sentinel.sentinels:
                await one.aclose()

    def _heed(self, members: Iterable[str | bytes]) -> None:
        texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in members]
        addresses = {text: literal_address(text.strip()) for text in texts}
        wrong = sorted(text for text, address in addresses.items() if address is None)
        known = frozenset(address for address in addresses.values() if address is not None)
        if known != self._known:
            self._known = known
            self._tell(f"blacklist: {len(known)} addresses are not heard")
            if wrong:
                named = ", ".join(ascii(text) for text in wrong[:_MOST_NAMED])
                self._tell(f"blacklist: expected literal addresses, ignored {len(wrong)} others: {named}")
            self._apply(known)

    def _without_password(self, reason: BaseException) -> str:
        text = str(reason) or type(reason).__name__
        return text.replace(self._configuration.password, "***") if self._configuration.password else text


async def _members(server: Redis, key: str) -> Iterable[str | bytes]:
    """The set, over a connection of its own."""
    try:
        return set(await server.smembers(key))
    finally:
        await server.aclose()
        await server.connection_pool.disconnect()
