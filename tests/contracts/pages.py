"""The pages of the repository, what stands in their blocks, spans and tables, and the README's use case."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from updraft.spec.load import load
from updraft.spec.model import UseCase

ROOT = Path(__file__).parents[2]
PAGES = {
    str(page.relative_to(ROOT)): page.read_text(encoding="utf-8")
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
}
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
EXAMPLE = "late_parcels"  # the README's use case


def fences(page: str, language: str | None = None) -> list[str]:
    """Fenced blocks of a page, of one language or of any."""
    return [text for name, text in FENCED.findall(PAGES[page]) if language in (None, name)]


def prose(page: str) -> str:
    return FENCED.sub("", PAGES[page])


def spans(page: str) -> list[str]:
    """What stands between backticks outside of blocks."""
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose(page))]


def fenced_lines(page: str) -> Iterator[list[str]]:
    """Words of each line of the blocks that hold commands."""
    for text in fences(page, ""):
        yield from (words for line in text.splitlines() if (words := split(line)))


def split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a drawing, not a command
        return line.split()


def table(page: str, first: str) -> list[list[str]]:
    """Rows of the table whose header begins with `first`."""
    found = re.search(rf"^\| {first} \|.*\n\|[- |]+\n((?:\|.*\n)+)", PAGES[page], re.M)
    assert found, f"{page} has no table of {first}"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


RUNBOOKS = [page for page in PAGES if page.startswith("docs/runbooks/")]


def example(folder: Path, rollout: str = "", *, watch: bool = False) -> UseCase:
    """Write the README's use case into a folder and load it."""
    own = folder / EXAMPLE
    own.mkdir(parents=True)
    (spec,), (rows, label) = fences("README.md", "yaml"), fences("README.md", "sql")
    spec = spec.replace("type: files", "type: files\n    files: {watch: true}", 1) if watch else spec
    told = {"spec.yaml": spec + rollout, "features.sql": rows, "label.sql": label, "README.md": "Parcels.\n"}
    for file, text in told.items():
        (own / file).write_text(text, encoding="utf-8")
    return load(EXAMPLE, folder)
