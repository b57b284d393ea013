"""What the pages say exists: commands, fields, files, columns; and the README's use case runs."""

import ast
import importlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel
from tests.contracts.pages import (
    EXAMPLE,
    FENCED,
    PAGES,
    ROOT,
    RUNBOOKS,
    example,
    fenced_lines,
    fences,
    prose,
    quoted,
    spans,
    split,
    table,
)

from updraft import features, ingest, score
from updraft.asof import raw_schema
from updraft.cli.main import app
from updraft.ingest.publication import QUARANTINE
from updraft.life.run import STAGES
from updraft.life.train import evidence_key, profile_key
from updraft.monitor import table as monitor_table
from updraft.query import sources_of
from updraft.records import Kind
from updraft.spec.model import UseCase


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_of_make_exists(page):
    verbs = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    said = [words for words in (*fenced_lines(page), *map(split, spans(page))) if words[:1] == ["make"]]
    assert [word for _, *words in said for word in words if "=" not in word and word not in verbs] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_updraft_would_be_understood(page):
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for _, name, *arguments in (words for words in fenced_lines(page) if words[0] == "updraft"):
        asked = commands[name].make_context(name, list(arguments))
        assert asked.params.get("stage", "life") in STAGES, arguments
    for _, name, *arguments in (words for words in map(split, spans(page)) if words[0] == "updraft" and len(words) > 1):
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("--")} <= options, arguments


def anchors(page: Path) -> set[str]:
    """Anchors of headings, as they are made where the repository is shown."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_repository_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def fields(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Dotted names of every field of the spec; `NAME` stands for a key of a mapping."""
    for name, field in model.model_fields.items():
        yield f"{before}{name}"
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and get_origin(inner) is None and issubclass(inner, BaseModel):
                mapping = get_origin(field.annotation) is dict
                yield from fields(inner, f"{before}{name}.{'NAME.' if mapping else ''}")


def test_every_spec_field_named_in_a_table_exists():
    known = set(fields(UseCase))
    assert {"problem.value", "sources.NAME.known_at.column", "model.lightgbm.rounds"} <= known
    rows = re.findall(r"^\| `([^`]+)` \|", PAGES["docs/use-cases.md"], re.M)
    assert len(rows) > 30
    assert set(rows) <= known


@pytest.mark.parametrize("page", PAGES)
def test_every_dotted_spec_field_in_a_page_exists(page):
    sections = "problem|partitions|contract|label|model|gates|rollout|monitor|retrain|caps"
    ends = tuple(f".{field}" for field in fields(UseCase))
    named = [span for span in spans(page) if re.fullmatch(rf"(?:{sections})(?:\.(?!sql|json)[a-z_0-9]+)+", span)]
    assert [name for name in named if not any(end.endswith(f".{name}") for end in ends)] == []


BOOKINGS, ARRIVALS = "parcel,depot,weight,ships_at,booked_at\n", "parcel,depot,late,ships_at,reported_at\n"
DELIVERED = {
    "bookings/2026-01-02": f"{BOOKINGS}A,north,2.5,2026-01-02T09:00:00Z,2026-01-01T11:00:00Z\n",
    "arrivals/2026-01-02": ARRIVALS,
    "arrivals/2026-01-03": ARRIVALS,
    "arrivals/2026-01-04": f"{ARRIVALS}A,north,true,2026-01-02T09:00:00Z,2026-01-03T11:00:00Z\n",
}


def test_the_use_case_of_the_readme_runs_from_delivery_to_label(tmp_path, lake):
    case = example(tmp_path / "use_cases")
    assert sources_of(case, case.sql("features"), "features.sql") == ["arrivals", "bookings"]
    assert sources_of(case, case.sql("label"), "label.sql") == ["arrivals"]
    for place, text in DELIVERED.items():
        source, key = place.split("/")
        file = tmp_path / "inbox" / EXAMPLE / source / f"{key}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        ingest.stage(case, source, [key], lake, tmp_path / "inbox")
    assert features.build(case, ["2026-01-02"], lake).rows == 1
    assert features.build_labels(case, ["2026-01-02"], lake).rows == 1
    labels = lake.read(features.table(case, "label"))
    assert labels is not None
    assert labels["late"].to_pylist() == [1.0]
    told = {name.split("/")[0] for row in table("docs/concepts.md", "object") for name in quoted(row[0])}
    made = {evidence_key(case, "x").split("/")[0], profile_key(case, "x").split("/")[0], "models", "ledger", "late"}
    made |= {
        "discarded",
        "changes",
        "affected",
        "skew",
        "empty",
        "tags",
        "receipts",
        "cards",
        "alerts",
    }  # nothing was held, scored or trained, there were rows, and no API, and nobody was told anything
    tables = {name.split("/")[0] for row in table("docs/concepts.md", "table") for name in quoted(row[0])}
    lying = {place.name for place in Path(lake.uri).iterdir()}
    assert told == made | (lying - tables)


def test_the_tables_of_the_lake_have_the_columns_that_are_told(case):
    own = {"partition", *case.entity, *case.features, case.label.column, *case.sources["facts"].columns}
    schemas = {
        "raw": raw_schema(case.sources["facts"]),
        "quarantine": QUARANTINE,
        "features": features.schema(case),
        "labels": features.schema(case, "label"),
        "scores": score.schema(case),
        "monitor": monitor_table.SCHEMA,
    }
    told = {quoted(row[0])[0].split("/")[0]: set(quoted(row[1])) for row in table("docs/concepts.md", "table")}
    assert told == {name: {field.name for field in schema} - own for name, schema in schemas.items()}


def test_every_kind_of_record_is_told():
    told = {kind for row in table("docs/concepts.md", "kind") for kind in quoted(row[0])}
    assert told == set(get_args(Kind))


def test_every_command_and_every_variable_is_told_and_every_one_told_exists():
    commands = {quoted(row[0])[0] for row in table("docs/operations.md", "command")}
    assert commands == {f"updraft {name}" for name in typer.main.get_command(app).commands}  # type: ignore[attr-defined]
    settings = (ROOT / "include/updraft/settings.py").read_text(encoding="utf-8")
    told = {quoted(row[0])[0] for row in table("docs/operations.md", "variable")}
    assert set(re.findall(r'environ\.get\("(\w+)"', settings)) <= told
    code = "".join(file.read_text(encoding="utf-8") for file in sources())
    where = {name: page for page, text in PAGES.items() for name in re.findall(r"\bUPDRAFT_[A-Z_]+\b", text)}
    assert {name: page for name, page in where.items() if name not in code} == {}


def sources() -> Iterator[Path]:
    yield from (ROOT / name for name in ("Makefile", "docker-compose.yaml"))
    for folder in ("include", "plugins", "dags"):
        yield from (ROOT / folder).rglob("*.py")


@pytest.mark.parametrize("page", [page for page in PAGES if fences(page, "python")])
def test_python_in_a_page_compiles_and_imports_what_exists(page):
    for text in fences(page, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_module_and_every_file_in_a_page_exists(page):
    for span in spans(page):
        if re.fullmatch(r"updraft(_airflow)?(\.[a-z_]+)+", span):
            assert named(span), span
        if re.fullmatch(r"(include|plugins|dags|tests|docs)/[\w./]+", span) and EXAMPLE not in span:
            assert (ROOT / span).exists(), span


def named(dotted: str) -> Any:
    """The module, or what a module holds."""
    module, _, name = dotted.rpartition(".")
    try:
        return importlib.import_module(dotted)
    except ImportError:
        return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_path_of_a_machine_or_shows_a_picture_letter(page):
    assert re.findall(r"(?:^|[\s`\"'(=])(?:/(?:home|root|Users|tmp|work|mnt|opt|usr)/|~/|[A-Z]:\\)", PAGES[page]) == []
    assert [letter for letter in PAGES[page] if unicodedata.category(letter) == "So"] == []


def test_the_pages_were_read_where_they_are():
    assert len(RUNBOOKS) >= 7
    assert len([page for page in PAGES if page.startswith("docs/adr/")]) >= 6
    assert "(LICENSE)" in PAGES["README.md"]
