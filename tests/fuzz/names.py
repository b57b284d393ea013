"""Names: of files, partitions, sources and columns, that would be paths, SQL, templates or shell words."""

# ruff: noqa: E501, RUF001 - tables of hostile texts

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fuzz.case import COLUMNS, KEY, Case, csv, good, only

BODY = csv(good(1), good(2))
WORDS = (
    "", " ", ".", "..", "../x", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", "a\0b", "a\nb", "%2e%2e", "%00", "~", "-rf", "--help", "$HOME",
    "`id`", "$(id)", "a;b", "a'b", 'a"b', "a--b", "a b", "{{ x }}", "{x}", "A", "Id", "ID", "ıd", "іd", "ａ", "é", "😀", "a" * 64, "a" * 4096,
    "1a", "_a", "con", "a.b", "a:b", "a*b", "a?b", "[a]", "\u202ea", "a\u200b", "__class__", "aux.", "a|b", "NUL",
)  # fmt: skip
NAMES = {"con"}  # plain words, harmless here


def cases() -> Iterator[Case]:
    """Every one of them; none depends on chance."""
    for word in WORDS:
        if word not in NAMES:
            columns = {**COLUMNS, word: {"type": "string", "nullable": True}}
            yield _spec("THREATS column name", columns=columns)
            yield Case("THREATS partition", lambda: BODY, only("invalid"), key=word)
    for path in (
        "/etc/{partition}",
        "../{partition}",
        "a/../../{partition}",
        "a/..",
        "{partition}/../../x",
        "plain.csv",
        "",
        "~/{partition}/..",
    ):
        yield _spec("THREATS path", path=path)
    for key in (
        "2013-04-31",
        "2013-02-29",
        "0000-01-01",
        "10000-01-01",
        "2013-4-1",
        "2013-04-01T05",
        "2013-W14",
        "٢٠١٣-٠٤-٠١",
        "2013-04-01\n",
        "9999-99-99",
        "*",
        "?",
    ):
        yield Case("THREATS partition", lambda: BODY, only("invalid"), key=key)
    yield from _files()


def _spec(kind: str, **declared: object) -> Case:
    return Case(kind, lambda: BODY, only("invalid"), source=declared)


def _files() -> Iterator[Case]:
    for suffix in (
        ".csv",
        ".CSV",
        "-2.csv",
        " .csv",
        "é.csv",
        "\u202evsc.csv",
        ";rm -rf.csv",
        "$(id).csv",
        "'--.csv",
        "{{x}}.csv",
        "%2e%2e.csv",
        "\n.csv",
        "[1].csv",
        "*.csv",
        "x" * 200 + ".csv",
    ):
        yield _placed("THREATS file name", "accepted", lambda inbox, s=suffix: _write(inbox / f"{KEY}{s}"))
    for suffix in (".csv.tmp", ".csv.part"):
        yield _placed("D16 unfinished", "missing", lambda inbox, s=suffix: _write(inbox / f"{KEY}{s}"))
    yield _placed("D16 hidden", "missing", lambda inbox: _write(inbox / f".{KEY}.csv"))
    yield _placed("D16 hidden folder", "missing", lambda inbox: _write(inbox / ".x" / f"{KEY}.csv"))
    yield _placed("D16 nothing", "missing", lambda inbox: None)
    yield _placed("D16 a folder", "missing", lambda inbox: (inbox / f"{KEY}.csv").mkdir())
    yield _placed("D16 a pipe", "missing", lambda inbox: os.mkfifo(inbox / f"{KEY}.csv"))
    yield _placed("D16 another day", "missing", lambda inbox: _write(inbox / "2013-04-02.csv"))
    for target in ("/etc/passwd", "../../../../etc/passwd", "/dev/zero", "/proc/self/environ", "/", "../.."):
        yield _placed("THREATS link out", "refused", lambda inbox, t=target: os.symlink(t, inbox / f"{KEY}.csv"))
    yield _placed("THREATS link to a folder", "missing", lambda inbox: os.symlink("..", inbox / f"{KEY}.csv"))
    yield _placed("THREATS link to itself", "missing", lambda inbox: os.symlink(f"{KEY}.csv", inbox / f"{KEY}.csv"))
    yield _placed("THREATS link to nothing", "missing", lambda inbox: os.symlink("nothing", inbox / f"{KEY}.csv"))
    yield _placed(
        "D1 twice under two names",
        "accepted",
        lambda inbox: (_write(inbox / f"{KEY}.csv"), _write(inbox / f"{KEY}-2.csv")),
    )


def _placed(kind: str, outcome: str, place: Callable[[Path], object]) -> Case:
    return Case(kind, lambda: b"", only(outcome), place=lambda inbox: (place(inbox), None)[1])


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(BODY)
    os.utime(path, (time.time() - 60,) * 2)
