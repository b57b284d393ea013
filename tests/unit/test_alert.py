"""An alert as a value and as its readers see it: short, whole, and harmless whatever the data say."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from updraft.alert import kinds, render
from updraft.alert.alert import Finding, Series, alert, facts, from_bytes, line, to_bytes
from updraft.alert.chart import bars, png
from updraft.spec.alerts import AlertKind

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
SERIES = Series("score_psi", "scores", tuple((f"2024-01-{day:02}", day / 10) for day in range(1, 20)), 0.2)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!channel> <!here> <@U012AB3CD> @channel @all",
    "<https://evil.example|click>",
    "[click](https://evil.example) ```ended",
    "a\r\nBcc: everyone@example.com\r\n\r\nbody",
    "right\u202eto left\u200b\x00\x1b[31m",
    "{{ var.value.secret }} {% raw %}",
    "$\\frac{1}{0}$",
    "x" * 100_000,
]


def made(case, what="the scores moved", runbooks="docs/runbooks", **more):
    found = Finding("incident", "7", what, **{"partition": "2024-01-19", "series": SERIES, **more})
    return alert(case, found, 1, NOW, runbooks)


def everywhere(case, hostile):
    """An alert that says something hostile in every field that data reach."""
    told = facts({hostile[:50]: hostile, "rows": 3})
    seen = Series(hostile, hostile, (("2024-01-19", 0.5), ("2024-01-20", None)), 0.2)
    return made(case, hostile, facts=told, series=seen)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[str] = []
        self.words = ""

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.words += data


def parsed(page):
    tags = Tags()
    tags.feed(page)
    return tags


# ---- the value ---------------------------------------------------------------------------------------------------


def test_an_alert_names_what_happened_the_numbers_the_runbook_and_the_command(case):
    told = made(case, facts=facts({"model": "abc", "nothing": None}))
    assert (told.title, told.severity, told.event) == ("An incident lasts", "warning", "opened")
    assert told.facts == (("model", "abc"),)
    assert (told.runbook, told.command) == ("docs/runbooks/incident.md", "updraft status tiny")
    assert told.message_id == f"tiny/{told.id}/opened"


def test_the_same_finding_has_the_same_identity_and_another_has_another():
    first, again = Finding("incident", "7", "one way to say it"), Finding("incident", "7", "another way")
    assert first.identity == again.identity
    assert len({first.identity, Finding("incident", "8", "").identity, Finding("rows_held", "7", "").identity}) == 3


def test_an_alert_is_the_same_after_its_way_through_the_lake(case):
    moving = replace(SERIES, limits=(None, *(0.2 + day / 100 for day in range(2, 20))))
    for told in (made(case), made(case, series=moving), made(case, series=None), everywhere(case, HOSTILE[1])):
        assert from_bytes(to_bytes(told)) == told


def test_an_alert_that_was_kept_before_limits_were_is_still_read(case):
    kept = json.loads(to_bytes(made(case)))
    del kept["series"]["limits"]
    assert from_bytes(json.dumps(kept).encode()) == made(case)


def test_what_is_over_keeps_its_id_and_says_why(case):
    over = made(case).over("promoted in 2024-01-20", NOW + timedelta(minutes=1709))
    assert (over.id, over.event) == (made(case).id, "resolved")
    assert over.what == "Over after 28 h 29 min: promoted in 2024-01-20"
    assert render.subject(over) == "[resolved] tiny: An incident lasts (2024-01-19)"
    assert "over: 2024-03-02 16:29 UTC" in render.text(over)


def test_what_is_over_asks_nobody_to_do_anything(case):
    over = made(case).over("calm", NOW)
    for said in (render.text(over), parsed(render.html(over)).words, json.dumps(render.slack(over))):
        assert "Nothing more to do" in said
        assert not re.search("What to do|Type first", said)


def test_of_several_reasons_each_stands_on_a_line_of_its_own(case):
    told = made(case, "no evidence (0.1; 25 rows); chance moves it by 0.2; so it stays")
    lines = ["no evidence (0.1; 25 rows)", "chance moves it by 0.2", "so it stays"]
    assert render.text(told).splitlines()[2:5] == lines
    assert "\n".join(lines) in parsed(render.html(told)).words
    assert "\n".join(lines) in render.slack(told)["text"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_data_say_stays_one_short_line(case, hostile):
    told = everywhere(case, hostile)
    for said in (told.what, *(word for pair in told.facts for word in pair), told.series.subject):
        assert len(said) <= 2000
        assert said.isprintable()
    assert len(to_bytes(told)) < 10_000


def test_a_line_that_is_cut_says_so():
    assert line("a b" * 100, 10) == "a ba ba b…"
    assert line("\u202e\u0000", 10) == ""


# ---- the renderings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hostile", HOSTILE)
def test_html_holds_no_tag_and_no_attribute_that_data_brought(case, hostile):
    calm, page = parsed(render.html(made(case, series=SERIES, facts=facts({"a": 1, "rows": 3})), "cid:x")), None
    page = parsed(render.html(everywhere(case, hostile), "cid:x"))
    assert (page.seen, page.attributes) == (calm.seen, calm.attributes)


def test_html_shows_the_words_as_they_are(case):
    assert "<script>alert(1)</script>" in parsed(render.html(made(case, HOSTILE[0]))).words
    assert "<script" not in render.html(made(case, HOSTILE[0]))


def test_html_links_a_runbook_on_the_web_and_names_one_in_a_folder(case):
    assert '<a href="https://wiki.example/r/incident.md">' in render.html(
        made(case, runbooks="https://wiki.example/r/")
    )
    assert "<a " not in render.html(made(case))
    assert "<a " not in render.html(made(case, runbooks="javascript:alert(1)//"))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_chat_sees_no_mention_no_link_and_no_markup(case, hostile):
    said = render.slack(everywhere(case, hostile))
    assert {part["text"]["type"] for part in said["blocks"]} == {"plain_text"}
    for words in (said["text"], *(part["text"]["text"] for part in said["blocks"])):
        assert not re.search(r"@\w|<!", words)
        assert len(words) <= 3000
    assert not re.search(r"[<>]", said["text"])
    assert said["text"].startswith("```")
    assert said["text"].count("```") == 2
    assert all(part["text"]["text"] for part in said["blocks"]), "Slack refuses empty text"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_one_link_in_a_chat_is_the_runbook_s(case, hostile):
    told = replace(everywhere(case, hostile), runbook="https://wiki.example/r?a=1&b=|<!here>/incident.md")
    marked = [part["text"]["text"] for part in render.slack(told)["blocks"] if part["text"]["type"] == "mrkdwn"]
    assert marked == ["<https://wiki.example/r?a=1&amp;b=%7C%3C%21here%3E/incident.md|Open the runbook>"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_subject_is_one_line_of_at_most_a_hundred_signs(case, hostile):
    found = Finding("incident", "7", "x", hostile)
    subject = render.subject(alert(case, found, 1, NOW, "docs/runbooks"))
    assert len(subject) <= 100
    assert subject.isprintable()


def test_text_says_everything_in_few_lines(case):
    told = render.text(made(case, facts=facts({"model": "abc"})))
    for said in ("the scores moved", "model: abc", "docs/runbooks/incident.md", "updraft status tiny", "score_psi"):
        assert said in told
    assert "Tiny team, tiny@example.com" in told
    assert len(told.splitlines()) < 25


def test_the_document_holds_the_chart_and_is_json(case):
    said = json.loads(json.dumps(render.document(made(case))))
    assert base64.b64decode(said["chart_png"])[:4] == b"\x89PNG"
    assert said["message_id"] == made(case).message_id
    assert said["series"]["limit"] == 0.2
    assert render.document(made(case, series=None))["chart_png"] is None


def test_the_largest_alert_there_can_be_stays_small(case):
    values = tuple((f"2024-01-{n}", float(n)) for n in range(10_000))
    many, limits = tuple((f"name{n}", "y" * 9999) for n in range(1000)), tuple(float(n) for n in range(10_000))
    told = made(case, "z" * 99_999, facts=many, series=Series("m", "s", values, 1.0, limits))
    assert len(render.text(told).encode()) < 10_000, "SNS takes 256 KB"
    assert len(json.dumps(render.document(told))) < 200_000
    assert len(json.dumps(render.slack(told))) < 20_000


# ---- the chart ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "limit", "drawn"),
    [
        pytest.param([0.1, 0.2, 0.3], 0.25, "▁▅█ 0.3 (limit 0.25)", id="rising"),
        pytest.param([0.1, None, 0.3], None, "▁·█ 0.3", id="one unknown, no limit"),
        pytest.param([0.5, 0.5], None, "▁▁ 0.5", id="flat"),
        pytest.param([None], 0.2, "", id="nothing known"),
        pytest.param([], 0.2, "", id="nothing"),
    ],
)
def test_a_series_is_drawn_in_text_and_as_a_picture(values, limit, drawn):
    series = Series("m", "s", tuple((f"2024-01-{n:02}", value) for n, value in enumerate(values, 1)), limit)
    assert bars(series) == drawn
    assert png(series)[:4] == b"\x89PNG"


def test_a_limit_that_moves_is_drawn_as_it_was_at_each_partition():
    still, moving = png(SERIES), png(replace(SERIES, limits=tuple(0.2 + day / 100 for day in range(1, 20))))
    assert png(replace(SERIES, limits=(None,) * 19))[:4] == moving[:4] == b"\x89PNG"
    assert moving != still


def test_a_picture_is_the_same_each_time_and_reads_no_formula():
    assert png(SERIES) == png(SERIES)
    assert png(Series("$\\frac{", "$x^{$", SERIES.values, 0.2))[:4] == b"\x89PNG"


# ---- the kinds ---------------------------------------------------------------------------------------------------


def test_every_kind_has_a_meaning_and_what_lasts_can_be_over():
    assert set(kinds.MEANINGS) == set(AlertKind.__args__)
    assert {kind for kind, meaning in kinds.MEANINGS.items() if meaning.lasts} >= {"incident", "ledger_broken"}
    assert kinds.page("rows_held") == "rows-held.md"
