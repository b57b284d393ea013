"""A span of parcels lived again: they turn on the nineteenth, and only who trains again learns it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import parcels
from typer.testing import CliRunner

from updraft.cli.main import app
from updraft.errors import SpecInvalid
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.partition import calendar
from updraft.records import Record, State
from updraft.replay import POLICIES, arms, place, replay
from updraft.replay.policy import due
from updraft.replay.tally import earned

pytestmark = pytest.mark.slow  # days that are lived again, each scored and watched
deep = [pytest.mark.deep, pytest.mark.timeout(900)]  # sixty of them, in three lives
LIVED = ["never", "drift", "always"]
FIRST, SOON, LAST = "2024-01-18", "2024-01-22", "2024-02-05"
QUICK = {"history": "8d", "validation": 2, "holdout": 2, "families": ["logistic"]}
EAGER = {"cooldown": "4d", "budget": 9}


def keys(case, first=FIRST, last=LAST):
    return calendar(case).keys(first, last)


def bytes_of(folder):
    files = sorted(file for file in Path(folder).rglob("*") if file.is_file())
    return {str(file): sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def eager(tmp_path_factory):
    """The use case with trainings that look back a week, and as many of them as it takes."""
    return parcels.write(tmp_path_factory.mktemp("use_cases"), model=QUICK, retrain=EAGER)


@dataclass(frozen=True)
class Lived:
    """A span that was replayed, and what the live lake's files were before and after."""

    case: Any
    live: Lake
    folder: Path
    span: list[str]
    arms: Any
    report: Any
    told: list[tuple[Any, ...]]
    before: dict[str, str]
    after: dict[str, str]


def live_again(case, world, tmp_path_factory, policies, specs, last):
    folder, live = tmp_path_factory.mktemp("replayed"), world.copy(tmp_path_factory.mktemp("live")).lake
    before, told, span = bytes_of(live.uri), [], keys(case, FIRST, last)
    asked = arms(case, policies, specs, folder)
    report = replay(case, live, folder, span, asked, lambda *said: told.append(said))
    return Lived(case, live, folder, span, asked, report, told, before, bytes_of(live.uri))


@pytest.fixture(scope="module")
def days(eager, _observed, tmp_path_factory):
    """A few days under a policy, as the spec stands and as an edited one has it: without a training in reserve."""
    strict = tmp_path_factory.mktemp("edited") / "strict.yaml"
    model = {**parcels.SPEC["model"], **QUICK}
    strict.write_text(yaml.safe_dump({**parcels.SPEC, "model": model, "retrain": {"budget": 0}}))
    return live_again(eager, _observed, tmp_path_factory, ["drift"], [strict], SOON)


@pytest.fixture(scope="module")
def weeks(eager, _observed, tmp_path_factory):
    """The whole span under three policies."""
    return live_again(eager, _observed, tmp_path_factory, LIVED, [], LAST)


LENGTHS = [pytest.param("days"), pytest.param("weeks", marks=deep)]


@pytest.fixture(params=LENGTHS)
def lived(request):
    return request.getfixturevalue(request.param)


def test_the_live_lake_and_its_ledger_are_as_they_were_byte_for_byte(lived):
    assert lived.before == lived.after
    assert any("/ledger/" in file for file in lived.before)
    assert lived.report.touched == ()


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_who_never_trains_again_loses_and_who_trains_earns_more_than_chance_explains(weeks):
    arms = weeks.report.arms
    assert (arms["never"].gain, arms["never"].deeds.trainings, arms["never"].deeds.promotions) == (0, 1, 1)
    assert arms["drift"].low > 0
    assert arms["drift"].deeds.promotions >= 2
    assert arms["drift"].quality["auc"] > arms["never"].quality["auc"] + 0.1
    assert arms["always"].deeds.trainings == 4, "at the start, and on three Mondays"
    assert all(arm.value == pytest.approx(arms["never"].value + arm.gain) for arm in arms.values())


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_what_was_seen_and_not_acted_upon_is_counted(weeks):
    drift = weeks.report.arms["drift"].deeds
    assert drift.incidents >= 1
    assert drift.held_back >= 1, "within the cooldown"


def test_every_life_leaves_a_whole_ledger_and_scores_every_row_once(lived):
    for arm in lived.arms:
        lake = Lake(str(lived.folder / "policies" / arm.folder))
        assert Ledger(lake, lived.case.name).verify() > 0
        assert lake.partitions("scores/parcels") == lived.span
        assert len(lake.read("scores/parcels")) == parcels.PER_DAY * len(lived.span)


def test_every_policy_is_measured_on_the_same_rows_by_month_as_well(lived):
    report = lived.report
    for arm in report.arms.values():
        assert list(arm.months) == sorted({key[:7] for key in lived.span})
        assert sum(month["rows"] for month in arm.months.values()) == report.rows
        total = sum(month["value"] * month["rows"] for month in arm.months.values())
        assert total == pytest.approx(arm.value * report.rows)
        assert arm.gain * report.rows == pytest.approx(sum(arm.gained.values()))


def test_what_was_lived_is_not_lived_again(lived):
    before, told = bytes_of(lived.folder / "policies"), []
    again = replay(lived.case, lived.live, lived.folder, lived.span, lived.arms, lambda *said: told.append(said))
    assert again.table() == lived.report.table()
    assert bytes_of(lived.folder / "policies") == before
    assert json.dumps(told) == json.dumps(lived.told)


@pytest.mark.deep
def test_killed_and_done_again_elsewhere_it_is_the_same_table(days, tmp_path):
    class Killed(Exception):  # noqa: N818
        pass

    def kill(name, key, _):
        if (name, key) == ("drift (strict)", "2024-01-20"):
            raise Killed

    with pytest.raises(Killed):
        replay(days.case, days.live, tmp_path, days.span, days.arms, kill)
    assert not (tmp_path / "report.json").exists()
    assert replay(days.case, days.live, tmp_path, days.span, days.arms).table() == days.report.table()


def test_the_report_is_kept_as_json_and_as_a_page_with_a_chart_that_fetches_nothing(lived):
    folder, report = lived.folder, lived.report
    said = json.loads((folder / "report.json").read_text())
    assert said["arms"]["drift"]["gain"] == report.arms["drift"].gain
    assert said["arms"]["drift"]["deeds"]["cpu"] > 0
    page = (folder / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert "http" not in page
    assert all(POLICIES[name] in page for name in {arm.policy for arm in lived.arms})
    assert (folder / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_an_edited_spec_is_one_more_life_beside_the_spec_as_it_stands(days):
    assert [arm.name for arm in days.arms] == ["drift", "drift (strict)"]
    assert days.arms[0].folder != days.arms[1].folder
    assert days.report.arms["drift"].deeds.trainings == 2
    assert days.report.arms["drift (strict)"].deeds.trainings == 1, "the first champion's alone"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"problem": {**parcels.SPEC["problem"], "lead_time": "7h"}}, "defines other features"),
        ({"label": {"column": "late", "maturity": "2d"}}, "defines other label"),
    ],
)
def test_an_edited_spec_with_other_features_or_labels_is_refused(parcels_case, tmp_path, spec, why):
    edited = tmp_path / "edited.yaml"
    edited.write_text(yaml.safe_dump({**parcels.SPEC, **spec}))
    with pytest.raises(SpecInvalid, match=why):
        arms(parcels_case, ["drift"], [edited], tmp_path / "folder")


def test_an_unknown_policy_is_refused_with_the_nearest_one(parcels_case, tmp_path):
    with pytest.raises(SpecInvalid, match="did you mean 'monthly'"):
        arms(parcels_case, ["montly"], [], tmp_path)


def test_another_span_or_other_rows_have_a_folder_of_their_own(parcels_case, observed, tmp_path):
    live = observed.lake
    places = {place(parcels_case, live, tmp_path, keys(parcels_case, first)) for first in (FIRST, "2024-01-19")}
    live.replace("features/parcels", live.read("features/parcels", ["2024-01-02"]).slice(1), ["2024-01-02"])
    places.add(place(parcels_case, live, tmp_path, keys(parcels_case)))
    assert len(places) == 3


def test_the_command_prints_policies_side_by_side_and_says_that_the_lake_is_as_it_was(eager, observed, monkeypatch):
    lake = Path(observed.lake.uri)
    places = {"UPDRAFT_HOME": lake.parent, "UPDRAFT_LAKE": lake, "UPDRAFT_USE_CASES": eager.folder.parent}
    for name, where in {**places, "COLUMNS": 200}.items():
        monkeypatch.setenv(name, str(where))
    before = bytes_of(lake)
    span = ["--from", FIRST, "--to", "2024-01-19"]
    done = CliRunner().invoke(app, ["replay", "parcels", *span, "--policy", "never", "--policy", "monthly"])
    assert done.exit_code == 0, done.output
    assert "never, 2024-01-18: training promoted" in done.output
    assert "value of 1,000 rows" in done.output
    assert "auc 2024-01" in done.output
    assert "the live lake is as it was" in done.output
    assert bytes_of(lake) == before
    assert list(lake.parent.glob("replays/parcels/*/report.html"))


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_lives_of_one_spec_begin_with_one_training(weeks):
    told = {name: stages for name, key, stages in weeks.told if key == FIRST}
    assert len({json.dumps(stages) for stages in told.values()}) == 1, "seconds and all"


# ---- timetables --------------------------------------------------------------------------------------------------


def tried(*partitions):
    return State(records=tuple(Record(1, "", "trained", "", key, "", "", "m", {}, "") for key in partitions if key))


@pytest.mark.parametrize(
    ("policy", "last", "key", "wanted"),
    [
        ("always", None, "2024-01-18", True),
        ("never", "2024-01-18", "2024-03-01", False),
        ("monthly", "2024-01-18", "2024-01-31", False),
        ("monthly", "2024-01-18", "2024-02-01", True),
        ("monthly", "2024-01-18", "2024-02-03", True),
        ("always", "2024-01-18", "2024-01-21", False),
        ("always", "2024-01-18", "2024-01-22", True),
        ("always", "2024-01-22", "2024-01-22", True),
    ],
)
def test_a_timetable_asks_once_a_period_and_again_for_what_it_did_not_end(parcels_case, policy, last, key, wanted):
    assert due(policy, key, tried(last), calendar(parcels_case)) is wanted


# ---- value -------------------------------------------------------------------------------------------------------


def test_a_row_is_worth_what_the_spec_says_of_its_decision_and_outcome(parcels_case):
    import pandas as pd

    rows = pd.DataFrame({"late": [1.0, 0.0, 1.0, 0.0], "acted": [True, True, False, False], "score": 0.5})
    assert earned(parcels_case, rows).tolist() == [3.0, -1.0, 0.0, 0.0]
