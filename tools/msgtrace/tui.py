"""The terminal interface: calls, the ladder of one, its messages. It needs textual."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Header, Input, Static

from msgtrace import call_ladder
from msgtrace.answers import Shown
from msgtrace.browsing import Browsing, Looked
from msgtrace.call_table import SIGNS, Judged
from msgtrace.colours import Paint
from msgtrace.octets import one_line
from msgtrace.verdict import Ending

_REFRESH = 0.4
"""seconds between two looks at a recording that grows"""
_STYLES = {Ending.GOOD: "green", Ending.WARN: "yellow", Ending.BAD: "bold red", Ending.OPEN: "cyan"}
_CAUSES = 8


class Calls(DataTable[Text]):
    """A row for each call."""


class Ladder(DataTable[Text]):
    """A row for each message."""


class CallScreen(Screen[None]):
    """One call: its ladder, and the message at the cursor; or its story."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,left", "app.pop_screen", "Back"),
        Binding("e", "story", "Explain"),
    ]

    def __init__(self, looked: Looked, message: Callable[[Shown], str]) -> None:
        super().__init__()
        self._looked = looked
        self._message = message
        self._story = False

    def compose(self) -> ComposeResult:
        """A ladder above, a message below."""
        yield Header()
        yield Ladder(cursor_type="row", zebra_stripes=False)
        with VerticalScroll(id="below"):
            yield Static(id="message", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Draw it."""
        self.sub_title = f"call {self._looked.call.number}"
        self._draw()
        self.query_one(Ladder).focus()

    def on_resize(self) -> None:
        """The ladder is as wide as the terminal."""
        self._draw()

    def _draw(self) -> None:
        table = self.query_one(Ladder)
        row = table.cursor_row
        table.clear(columns=True)
        head, *lines = call_ladder.text(
            self._looked.rows, max(40, self.size.width - 6), Paint(False)
        ).splitlines()
        table.add_column(Text(head))
        for one, line in zip(self._looked.rows, lines, strict=True):
            style = "red" if one.bad else ("green" if 200 <= one.status < 300 else "")
            table.add_row(Text(line, style=style))
        if 0 < row < len(lines):
            table.move_cursor(row=row)
        self._show(table.cursor_row)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """The cursor has moved."""
        self._story = False
        self._show(event.cursor_row)

    def action_story(self) -> None:
        """What happened, in sentences; again: the message."""
        self._story = not self._story
        self._show(self.query_one(Ladder).cursor_row)

    def _show(self, row: int) -> None:
        text = self._looked.story
        if not self._story and 0 <= row < len(self._looked.rows):
            one = self._looked.rows[row]
            item = self._looked.items.get(one.number)
            text = self._message(item) if item is not None else one.summary
        self.query_one("#message", Static).update(Text(text))
        self.query_one("#below", VerticalScroll).scroll_home(animate=False)


class MsgtraceApp(App[None]):
    """The list of calls."""

    TITLE = "msgtrace"
    CSS = """
    #causes { height: auto; max-height: 50%; overflow-y: auto; padding: 0 1; }
    #search { display: none; }
    #search.shown { display: block; }
    Calls { height: 1fr; }
    CallScreen Ladder { height: 1fr; }
    CallScreen #below { height: 1fr; border-top: solid $accent; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("slash", "search", "Search"),
        Binding("f", "failed", "Failed only"),
        Binding("end", "last", "Last", show=False),
    ]

    def __init__(self, browsing: Browsing, items: Iterable[Shown], name: str) -> None:
        """``items`` are read in a thread of their own."""
        super().__init__()
        self._browsing = browsing
        self._source = items
        self._name = name
        self._seen = -1
        self._failed_only = False
        self._wanted = ""
        self._ends = threading.Event()
        self.trouble = ""
        """why reading has ended, if not at the end"""

    def compose(self) -> ComposeResult:
        """Causes above, calls below."""
        yield Header()
        with Vertical():
            yield Static(id="causes", markup=False)
            yield Input(placeholder="parties, Call-ID, method, what became of it", id="search")
            yield Calls(cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to read."""
        table = self.query_one(Calls)
        table.add_columns("", "call", "time", "method", "from", "to", "what became of it")
        table.focus()
        self._read()
        self.set_interval(_REFRESH, self.refresh_calls)

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        try:
            for item in self._source:
                self._browsing.take(item)
                if self._ends.is_set():
                    return
        except (OSError, ValueError) as error:
            self.trouble = str(error)
        self.call_from_thread(self.refresh_calls)

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self._ends.set()

    def refresh_calls(self) -> None:
        """Show what is new; the cursor stays where it is."""
        if self._seen == self._browsing.count and not self.trouble:
            return
        if not self.query(Calls):
            return  # the interface is being taken down, and the timer still runs
        self._seen = self._browsing.count
        self._fill()

    def _fill(self) -> None:
        table = self.query_one(Calls)
        rows = self._browsing.calls(self._wanted, failed_only=self._failed_only)
        row = table.cursor_row
        table.clear()
        for one in rows:
            table.add_row(*_cells(one), key=str(one.call.number))
        if 0 < row < len(rows):
            table.move_cursor(row=row)
        causes = self._browsing.causes()
        told = [f"{count:,} × {cause}" for count, cause in causes[:_CAUSES]]
        told += [f"and {len(causes) - _CAUSES} more causes"] if len(causes) > _CAUSES else []
        self.query_one("#causes", Static).update(Text("\n".join(told), style="red"))
        shown = f"{len(rows):,} of {len(self._browsing.index.calls):,} calls"
        self.sub_title = f"{self._name}: {self.trouble or shown}"

    def action_search(self) -> None:
        """Ask for a text."""
        search = self.query_one("#search", Input)
        search.add_class("shown")
        search.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits while it is typed."""
        self._wanted = event.value
        self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the calls; an empty text shows all."""
        if not event.value:
            event.input.remove_class("shown")
        self.query_one(Calls).focus()

    def action_failed(self) -> None:
        """Failed calls only, or all."""
        self._failed_only = not self._failed_only
        self._fill()

    def action_last(self) -> None:
        """To the latest call."""
        table = self.query_one(Calls)
        table.move_cursor(row=table.row_count - 1)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a call."""
        if isinstance(event.data_table, Calls) and event.row_key.value:
            looked = self._browsing.look(int(event.row_key.value))
            self.push_screen(CallScreen(looked, self._browsing.message))


def _cells(row: Judged) -> list[Text]:
    call, style = row.call, _STYLES[row.verdict.ending]
    clock = call.begin[call.begin.find(":") - 2 :].rstrip("Z")[:12] if ":" in call.begin else ""
    return [
        Text(SIGNS[row.verdict.ending], style=style),
        Text(str(call.number), justify="right"),
        Text(clock),
        Text(one_line(call.method, 9)),
        Text(one_line(call.caller, 20)),
        Text(one_line(call.callee, 20)),
        Text(one_line(row.text, 300), style=style),
    ]
