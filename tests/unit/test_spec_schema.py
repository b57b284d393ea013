import re
from pathlib import Path

from updraft.spec.schema import markdown

PAGE = Path(__file__).parents[2] / "docs" / "spec.md"


def rows():
    return [line.strip("| ").split(" | ") for line in markdown().splitlines() if line.startswith("| `")]


def test_the_reference_on_disk_is_the_one_the_model_writes():
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run `make docs`"


def test_every_field_says_its_type_its_default_and_what_it_means():
    assert len(rows()) > 60
    for row in rows():
        assert len(row) == 4, row
        assert all(cell.strip() for cell in row), row
        assert row[3].endswith("."), row


def test_every_link_leads_to_a_section():
    headings = {h.replace(".", "").lower() for h in re.findall(r"^## (.+)$", markdown(), re.M)}
    links = re.findall(r"\(#([^)]*)\)", markdown())
    assert links
    assert set(links) <= headings


def test_names_durations_and_defaults_are_written_as_people_write_them():
    cells = {row[0]: row[1:3] for row in rows()}
    assert cells["`lead_time`"] == ["duration", "required"]
    assert cells["`deadline`"] == ["duration", "`30m`"]
    assert cells["`entity`"] == ["list of name", "required"]
    assert ["`every`", "`hour` or `day` or `week`", "`day`"] in [row[:3] for row in rows()]
