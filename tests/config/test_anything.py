"""Whatever is written in a file, an option or a variable: a reading tells what is wrong and never raises."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.config.reading import Reading, read
from reference_server.config.table import BY_OPTION, BY_PATH, BY_VARIABLE

NONE = Path("/nonexistent/drachtio.conf.xml")

texts = st.one_of(
    st.text(max_size=12), st.sampled_from(["", "0", "1", "-1", "99999", "sip:*", "127.0.0.1", "yes"])
)
words = st.one_of(texts, st.sampled_from([f"--{name}" for name in BY_OPTION]), st.text("-=fpFx1", max_size=4))
names = st.sampled_from(
    sorted({part for path in BY_PATH for part in path.replace("@", "/").split("/")} - {"*"})
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    """An element of known names in unknown order."""
    attributes = draw(st.dictionaries(names, st.sampled_from(["", "1", "x", "127.0.0.1"]), max_size=2))
    written = "".join(f' {name}="{text}"' for name, text in attributes.items())
    children = draw(st.lists(elements(depth - 1), max_size=3)) if depth else []
    text = draw(st.sampled_from(["", " ", "1", "sip:*", "yes", "<![CDATA[x]]>", "&lt;"]))
    name = draw(names)
    return f"<{name}{written}>{text}{''.join(children)}</{name}>"


few = settings(max_examples=40, deadline=None)  # the machine may be busy: time is not what is tested here


def judged(reading: Reading) -> None:
    """Either there is a configuration, or an error says why not, in one line with a place."""
    assert (reading.configuration is None) == any(
        "error" in str(p).partition(":")[0] for p in reading.problems
    )
    for problem in reading.problems:
        assert problem.place
        assert problem.text.isprintable()


def judged_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.xml"
        path.write_bytes(content)
        judged(read((), {}, path))


@few
@given(st.lists(words, max_size=6))
def test_any_command_line(arguments: list[str]) -> None:
    judged(read(arguments, {}, NONE))


@few
@given(st.dictionaries(st.sampled_from([f"DRACHTIO_{name}" for name in BY_VARIABLE]), texts, max_size=5))
def test_any_environment(environment: dict[str, str]) -> None:
    judged(read((), environment, NONE))


@few
@given(st.binary(max_size=200))
def test_any_octets_as_a_file(content: bytes) -> None:
    judged_file(content)


@few
@given(st.lists(elements(), max_size=4))
def test_any_document(bodies: list[str]) -> None:
    judged_file(f"<drachtio>{''.join(bodies)}</drachtio>".encode())
