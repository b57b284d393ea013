"""`updraft profile`: what could the contract of these rows be?"""

from pathlib import Path

from rich.console import Console

from updraft.contract import guess, proposal, yaml
from updraft.errors import DeliveryMissing
from updraft.ingest.feed import Feed
from updraft.ingest.validation import rows_of
from updraft.lake import Lake
from updraft.settings import Settings
from updraft.sources.decode import decode
from updraft.spec import load

_NEWEST = 30  # deliveries that are looked at


def profile(console: Console, subject: str, source: str | None) -> None:
    """Print a proposal from a file, or from the newest deliveries of a source."""
    text = of_file(Path(subject)) if source is None else of_source(subject, source)
    console.print(text, markup=False, soft_wrap=True, end="")


def of_file(path: Path) -> str:
    """Propose from a file of any origin."""
    if not path.is_file():
        raise DeliveryMissing(f"There is no file {path}.", next_step="name a file, or a use case and its source.")
    data, form, compressed = path.read_bytes(), guess.format_of(path.name), path.name.endswith(".gz")
    columns, left_out = guess.columns(data, form, compressed=compressed)
    loose = {name: column.model_copy(update={"nullable": True}) for name, column in columns.items()}
    rows = decode(data, guess.undeclared(loose, form), compressed=compressed)
    notes = [f"proposed from {path.name}, {rows.count} rows; edit it: what was is not what must be"]
    notes += [f"not declared, for its name or its type: {name[:80]!r}" for name in left_out[:10]]
    notes += ["the zone of timestamps without one is a guess"] * any(column.timezone for column in columns.values())
    notes += [f"{len(rows.bad)} rows could not be read"] * bool(rows.bad)
    return yaml.text(proposal.propose(columns, [rows.rows]), notes)


def of_source(use_case: str, name: str) -> str:
    """Propose from what has landed of a source, with the types it declares."""
    case = load.load(use_case)
    feed = Feed(case, name, Lake(Settings.from_env().lake))
    landed = sorted({place.split("/")[3] for place in feed.lake.keys(f"deliveries/{case.name}/{name}")})[-_NEWEST:]
    deliveries = feed.deliveries(landed)
    if not deliveries:
        raise DeliveryMissing(f"Nothing of {name} has landed.", next_step="land it, or profile a file.")
    rows = [rows_of(feed, delivery, {}).rows for delivery in deliveries]
    notes = [f"proposed from {len(rows)} deliveries of {name}, {landed[0]} to {landed[-1]}; edit it"]
    found = proposal.propose(feed.source.columns, rows)
    return yaml.text({**found, "key": list(feed.source.key), "event_time": feed.source.event_time}, notes)
