"""What a person sees while the demo runs: one line per partition, and what happened on the way."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

SIGNS = {"running": ("…", "yellow"), "success": ("✓", "green"), "failed": ("✗", "red")}
COLUMNS = ("ingest", "features", "score", "monitor")
SHOWN = 8


@dataclass
class View:
    """A live table on a terminal; plain lines anywhere else."""

    console: Console
    began: float = field(default_factory=time.monotonic)
    title: str = "Starting"
    _days: dict[str, dict[str, str]] = field(default_factory=dict)
    _events: deque[Text] = field(default_factory=lambda: deque(maxlen=200))
    _live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the display up to date while the block runs."""
        if not self.console.is_terminal:
            yield
            return
        with Live(get_renderable=self._render, console=self.console, refresh_per_second=4) as self._live:
            yield
        self._live = None

    def chapter(self, title: str) -> None:
        """Begin a new part."""
        self.title = title
        self._say(Text(title, style="bold"))

    def stage(self, partition: str, stage: str, state: str) -> None:
        """Show a stage's state; off a terminal, a line per partition that is done."""
        self._days.setdefault(partition, {})[stage] = state
        done = stage == COLUMNS[-1] and state == "success"
        if done and self._live is None:
            self._say(Text(f"{partition} ingested, built, scored, monitored"))

    def event(self, partition: str, text: str) -> None:
        """Tell what happened."""
        self._say(Text.assemble((f"{partition} ", "cyan"), text))

    def _say(self, line: Text) -> None:
        stamped = Text.assemble((f"{self._clock()} ", "dim"), line)
        if self._live is None:
            self.console.print(stamped, soft_wrap=True)
        self._events.append(stamped)

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        return f"{minutes}:{seconds:02}"

    def _render(self) -> Group:
        table = Table(title=f"{self._clock()}  {self.title}", title_justify="left", box=None, pad_edge=False)
        table.add_column("partition", style="cyan")
        for column in COLUMNS:
            table.add_column(column, justify="center")
        for day, states in list(self._days.items())[-SHOWN:]:
            table.add_row(day, *(Text(*SIGNS.get(states.get(column, ""), (" ", ""))) for column in COLUMNS))
        return Group(*list(self._events)[-12:], Text(""), table)
