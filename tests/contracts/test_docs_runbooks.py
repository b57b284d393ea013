"""Runbooks: every kind of alert has one, and each tells what to do with commands that exist."""

import re

import pytest
import typer
from tests.contracts.pages import PAGES, RUNBOOKS, quoted, spans, table

from updraft import errors
from updraft.alert.kinds import INCIDENTS, MEANINGS
from updraft.alert.kinds import page as runbook
from updraft.cli.main import app


@pytest.mark.parametrize("page", RUNBOOKS)
def test_a_runbook_says_what_you_see_what_it_means_what_to_do_and_when_to_escalate(page):
    headings = re.findall(r"^## (.+)$", PAGES[page], re.M)
    assert headings == ["What you see", "What it means", "What to do", "When to escalate"]
    raised = {span for span in spans(page) if re.fullmatch(r"(?:[A-Z][a-z]+){2,}", span)}
    assert raised <= set(vars(errors)), page


def test_every_kind_of_alert_has_its_page_its_row_and_a_command_that_exists():
    told = {quoted(row[0])[0]: row for row in table("docs/runbooks/README.md", "kind")}
    assert set(told) == set(MEANINGS)
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for kind, meaning in MEANINGS.items():
        assert f"docs/runbooks/{runbook(kind)}" in PAGES
        assert f"]({runbook(kind)})" in told[kind][3]
        assert told[kind][1].startswith(meaning.severity)
        assert told[kind][2].startswith("told once") is not meaning.lasts
        _, name, *arguments = meaning.command.format(use_case="flight_delays", partition="2013-04-01").split()
        assert commands[name].make_context(name, arguments)


def test_every_alarm_of_an_incident_is_told_with_its_title():
    rows = table("docs/runbooks/incident.md", "alarm")
    assert {quoted(row[0])[0]: row[1] for row in rows} == INCIDENTS
