"""The screening that the sources describe, and what is wrong with it as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from reference_server.config import screening_settings as settings
from reference_server.config.given import Given, Problem, warning
from reference_server.config.model import BlacklistConfiguration, ScreeningConfiguration, SpamHeader
from reference_server.config.sources import Sources


def screening(sources: Sources) -> ScreeningConfiguration:
    """All of it. The sources have been judged."""
    default = ScreeningConfiguration()
    action = sources.value(settings.SPAM_ACTION, default.action)
    return ScreeningConfiguration(
        spam=_spam(sources.document),
        action=action,
        tcp_action=sources.value(settings.SPAM_TCP_ACTION, action),
        reject_register_with_no_realm=any(
            settings.REJECT_REGISTER_WITH_NO_REALM.kind.parse(text)
            for text in sources.texts(settings.REJECT_REGISTER_WITH_NO_REALM)
        ),
        answered_user_agent=sources.value(settings.USER_AGENT_OPTIONS_AUTO_RESPOND, ""),
        always_send_180=sources.switched_on(settings.ALWAYS_SEND_180),
        blacklist=_blacklist(sources),
    )


def _spam(document: list[Given]) -> tuple[SpamHeader, ...]:
    """Each header with its texts, which follow it in the file; a header without any is left out."""
    found: list[SpamHeader] = []
    for given in document:
        if given.setting is settings.SPAM_HEADER:
            found.append(SpamHeader(settings.SPAM_HEADER.kind.parse(given.text), ()))
        elif given.setting is settings.SPAM_TEXT and found:
            text = settings.SPAM_TEXT.kind.parse(given.text)
            found[-1] = SpamHeader(found[-1].name, (*found[-1].texts, text))
    return tuple(header for header in found if header.texts)


def _for_blacklist(sources: Sources) -> Sources:
    """The sources that count for the blacklist: without the file's section where another names the server."""
    outside = Sources(sources.line, sources.variables, [])
    named = (settings.BLACKLIST_ADDRESS, settings.BLACKLIST_SENTINELS)
    return outside if any(outside.given(setting) for setting in named) else sources


def _blacklist(sources: Sources) -> BlacklistConfiguration | None:
    counting = _for_blacklist(sources)
    default = BlacklistConfiguration()
    blacklist = BlacklistConfiguration(
        address=counting.value(settings.BLACKLIST_ADDRESS, default.address),
        port=counting.value(settings.BLACKLIST_PORT, default.port),
        key=counting.value(settings.BLACKLIST_KEY, default.key),
        sentinels=counting.value(settings.BLACKLIST_SENTINELS, default.sentinels),
        master=counting.value(settings.BLACKLIST_MASTER, default.master),
        password=counting.value(settings.BLACKLIST_PASSWORD, default.password),
        refresh=counting.value(settings.BLACKLIST_REFRESH, default.refresh),
    )
    complete = blacklist.key and (blacklist.address or (blacklist.sentinels and blacklist.master))
    return blacklist if complete else None


_PARTS = (
    *(
        settings.BLACKLIST_ADDRESS,
        settings.BLACKLIST_PORT,
        settings.BLACKLIST_KEY,
        settings.BLACKLIST_SENTINELS,
    ),
    *(settings.BLACKLIST_MASTER, settings.BLACKLIST_PASSWORD, settings.BLACKLIST_REFRESH),
)


def incomplete_screening(sources: Sources) -> Iterator[Problem]:
    """What lacks so much that it does nothing: named, and the server starts without it, as the genuine one does."""
    counting = _for_blacklist(sources)
    given = [found for setting in _PARTS if (found := counting.given(setting)) is not None]
    if not given:
        return
    place = given[0].place
    if not counting.given(settings.BLACKLIST_KEY):
        yield warning(place, "expected a redis-key beside it; without one there is no blacklist")
    elif counting.given(settings.BLACKLIST_ADDRESS) is None:
        if counting.given(settings.BLACKLIST_SENTINELS) is None:
            yield warning(
                place, "expected a redis-address or redis-sentinels beside it; there is no blacklist"
            )
        elif counting.given(settings.BLACKLIST_MASTER) is None:
            yield warning(place, "expected a redis-master beside the sentinels; there is no blacklist")


# Tested by tests/config/test_screening_settings.py.
