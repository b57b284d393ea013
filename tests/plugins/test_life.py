"""Every operator on real rows: the six DAGs of a small use case, task by task, from delivery to retraining."""

import json
import shutil

import pytest
from tests.plugins import tiny
from tests.plugins.conftest import World
from tests.plugins.living import CALM, LAST, MOVED, kinds, lake, live, states
from tests.plugins.running import parse

from updraft import operation
from updraft.ledger import Ledger
from updraft_airflow.operators.stage import WORK_SECONDS

NOT_OURS = {"plan.wait", "outcome.wait", "train"}  # Airflow's own classes run these


@pytest.fixture(scope="module")
def life(tmp_path_factory, dags, mlflow_store):
    """The world it left; what came of each task, by stage, partition and task id; the ledger after each training."""
    world = World(tmp_path_factory.mktemp("life"), dags)
    with pytest.MonkeyPatch.context() as patch:
        world.enter(patch)
        mlflow_store(world.home)
        return world, *live(world)


@pytest.fixture
def told(life):
    return life[1]


@pytest.fixture
def after(life, tmp_path, dags, monkeypatch):
    """A copy of the world as that life left it."""
    shutil.copytree(life[0].home, tmp_path / "home")
    return World(tmp_path / "home", dags).enter(monkeypatch)


def everything(told):
    return [(*where, task, end) for where, ended in told.items() for task, end in ended.items()]


# ---- what is true of every task ---------------------------------------------------------------------------------


def test_every_return_value_is_plain_json_of_at_most_four_kilobytes(told):
    for *where, end in everything(told):
        written = json.dumps(end.returned)
        assert len(written) < 4096, where
        assert "__classname__" not in written, where


def test_every_stage_task_that_succeeds_says_how_long_its_own_work_took(told):
    ours = [end for *_, task, end in everything(told) if end.state == "success" and task not in NOT_OURS]
    seconds = [[message.value for message in end.told if getattr(message, "key", "") == WORK_SECONDS] for end in ours]
    assert len(seconds) >= 30
    assert all(found and 0 <= min(found) <= max(found) < 60 for found in seconds)


def test_a_span_is_worked_on_in_bulk_and_wakes_nobody(told):
    assert set(states(told["ingest", "span"]).values()) == {"success"}
    assert told["ingest", "span"]["plan.publish"].returned["rows"] == 20 * 60
    assert told["features", "span"]["build"].returned["partitions"] == 20
    announced = [end.announced for (_, day), ended in told.items() if day == "span" for end in ended.values()]
    assert announced == [{}] * len(announced)


@pytest.mark.parametrize(
    ("stage", "task", "asset"),
    [
        ("ingest", "plan.publish", "tiny.raw.plan"),
        ("ingest", "outcome.publish", "tiny.raw.outcome"),
        ("features", "build", "tiny.features"),
        ("score", "reconcile", "tiny.scores"),
    ],
)
def test_a_single_partition_is_announced_under_its_key(told, stage, task, asset):
    assert told[stage, CALM][task].announced == {asset: [CALM]}


# ---- stage by stage ---------------------------------------------------------------------------------------------


def test_a_training_ends_in_a_champion_that_is_announced(told):
    trained = told["train", LAST]
    assert set(states(trained).values()) == {"success"}
    assert trained["gates"].returned["outcome"] == "PASS"
    assert trained["promote"].returned["outcome"] == "promoted"
    assert trained["promote"].returned["champion"] == trained["fit"].returned["candidate"]
    assert trained["announce"].announced == {"tiny.champion": [LAST]}


def test_a_partition_is_scored_with_the_champion_that_was_pinned(told):
    scored = told["score", CALM]
    assert scored["pin_champion"].returned == told["train", LAST]["fit"].returned["candidate"]
    assert scored["score"].returned["models"] == [scored["pin_champion"].returned]
    assert (scored["score"].returned["rows"], scored["reconcile"].returned["scored"]) == (60, 60)


def test_a_calm_day_raises_no_incident_and_asks_for_no_action(told):
    assert told["monitor", CALM]["measure"].returned["incident"] is None
    assert states(told["monitor", CALM])["incident"] == "skipped"
    assert told["monitor", CALM]["incident"].announced == {}
    assert states(told["retrain", CALM]) == {"decide": "success", "train": "skipped", "roll_back": "skipped"}
    assert told["retrain", CALM]["decide"].returned["because"] == f"no incident at {CALM}"


def test_a_moved_day_opens_an_incident_that_is_announced(told):
    watched = told["monitor", MOVED]
    assert "feature_drift" in watched["measure"].returned["alarms"]
    assert len(watched["incident"].returned["opened"]) == 1
    assert watched["incident"].announced == {"tiny.incident": [MOVED]}


def test_an_incident_starts_one_training_named_after_its_partition(told):
    decided = told["retrain", MOVED]
    assert decided["decide"].returned["action"] == "retrain"
    assert states(decided) == {"decide": "success", "train": "success", "roll_back": "skipped"}
    [asked] = [message for message in decided["train"].told if type(message).__name__ == "TriggerDagRun"]
    assert (asked.dag_id, asked.run_id, asked.conf) == ("tiny__train", f"retrain__{MOVED}", {"partition": MOVED})


# ---- again, and otherwise ---------------------------------------------------------------------------------------


def test_an_incident_that_lasts_is_announced_again_but_recorded_once(after):
    before = kinds(after)
    again = after.run("monitor", partition=MOVED).all()["incident"]
    assert (again.returned, again.announced) == ({"opened": [], "resolved": []}, {"tiny.incident": [MOVED]})
    assert kinds(after) == before


def test_a_doubled_event_asks_for_the_same_training_which_airflow_has_started_already(after):
    run = after.run("retrain", partition=MOVED)
    run.supervisor.started[f"retrain__{MOVED}"] = None
    before = kinds(after)
    again = run.all()
    assert again["decide"].returned["action"] == "retrain"
    assert states(again)["train"] == "skipped"
    assert kinds(after) == before


def test_a_stage_that_runs_again_commits_nothing(after):
    tables = ["raw/tiny/plan", "raw/tiny/outcome", "features/tiny", "scores/tiny", "monitor/tiny"]
    before = {table: lake(after).version(table) for table in tables}
    for stage in ("ingest", "features", "score", "monitor"):
        assert set(states(after.run(stage, partition=CALM).all()).values()) <= {"success", "skipped"}
    assert {table: lake(after).version(table) for table in tables} == before


def test_every_task_that_worked_on_a_partition_has_kept_what_it_took(after):
    spent = operation.read(tiny.CASE, lake(after), [CALM])
    assert {one.task for one in spent} >= {"ingest.plan.publish", "features.build", "score.score", "monitor.measure"}
    assert {one.rows for one in spent if one.task == operation.SCORING} == {60}
    assert all(one.peak_memory > 10_000_000 and one.seconds > 0 for one in spent)
    measured = lake(after).read("monitor/tiny", [CALM]).to_pylist()
    assert {row["subject"] for row in measured if row["metric"] == "task_seconds"} == {
        one.task for one in spent if one.task.partition(".")[0] in operation.BEFORE_MONITORING
    }


def test_scores_are_kept_unless_the_form_says_rescore(after):
    assert after.run("score", partition=CALM).all()["score"].returned["kept"] is True
    again = after.run("score", partition=CALM, conf={"rescore": True}).all()
    assert (again["score"].returned["kept"], again["score"].returned["scored"]) == (False, 60)


def test_a_training_that_runs_again_finds_its_own_promotion(told, life):
    assert told["train", "again"]["gates"].returned["because"] == ["the candidate is the champion already"]
    assert told["train", "again"]["promote"].returned == told["train", LAST]["promote"].returned
    assert life[2] == [["trained", "gated", "promoted", "confirmed"]] * 2


def test_a_training_whose_candidate_is_not_better_announces_nothing(after):
    later = after.run("train", partition=MOVED).all()
    assert later["promote"].returned["outcome"] == "rejected"
    assert states(later)["announce"] == "skipped"
    assert later["announce"].announced == {}


def test_a_decision_to_roll_back_is_carried_out_and_recorded(after):
    ledger = Ledger(lake(after), "tiny")
    champion = ledger.state().champion
    ledger.append("promoted", why="a worse one", who="test", partition=CALM, model="f" * 64)
    run = after.run("retrain", partition=MOVED)
    decision = {"action": "roll_back", "because": "it does worse", "champion": "f" * 64}
    run.supervisor.xcoms["decide", "return_value"] = decision
    done = run.task("roll_back")
    assert (done.state, done.returned["outcome"], done.returned["champion"]) == ("success", "rolled_back", champion)
    assert [(r.kind, r.why) for r in ledger.records()[-2:-1]] == [("rolled_back", "it does worse")]
    assert run.task("roll_back").returned["outcome"] == "kept"


# ---- by hand -----------------------------------------------------------------------------------------------------


def promoted_by_hand(world, *models):
    ledger = Ledger(lake(world), "tiny")
    for model in models:
        ledger.append("promoted", why="by hand", who="test", partition=CALM, model=model)
    return ledger


def test_a_person_goes_back_by_a_form_once_and_the_next_scoring_run_does_as_they_said(after):
    champion = Ledger(lake(after), "tiny").state().champion
    ledger = promoted_by_hand(after, "e" * 64, "f" * 64)
    run = after.run("rollback", conf={"reason": "complaints"}, run_id="manual__1")
    done = run.all()["roll_back"]
    assert (done.returned["outcome"], done.returned["champion"]) == ("rolled_back", champion)
    assert done.returned["why"].startswith("complaints; skipped eeeeeeeeeeee"), "one that is gone is named"
    assert after.run("score", partition=CALM).task("pin_champion").returned == champion
    record = next(r for r in reversed(ledger.records()) if r.kind == "rolled_back")
    assert record.who == "somebody, manual__1"
    before = ledger.state().head
    assert run.task("roll_back").returned["outcome"] == "rolled_back", "a retry finds what it did"
    assert ledger.state().head == before


def test_a_person_may_name_whom_to_leave_and_without_anybody_to_go_back_to_it_is_refused(after):
    champion = Ledger(lake(after), "tiny").state().champion
    other = after.run("rollback", conf={"reason": "complaints", "leave": "e" * 64}).task("roll_back")
    assert (other.returned["outcome"], other.returned["champion"]) == ("kept", champion)
    refused = after.run("rollback", conf={"reason": "complaints"}, run_id="manual__2").task("roll_back")
    assert refused.state == "failed"
    assert "NoChampion: tiny has no earlier champion to go back to" in str(refused.error)
    assert Ledger(lake(after), "tiny").state().champion == champion


def test_the_sweep_puts_an_alias_back_that_somebody_moved(after):
    from updraft_airflow.hooks.registry import RegistryHook

    registry = RegistryHook().get_conn()
    registry._client.delete_registered_model_alias("tiny", "champion")
    found = after.run("sweep", partition=MOVED).task("repair").returned
    assert "was missing: moved to" in found
    assert kinds(after)[-1] == "repaired"
    assert after.run("sweep", partition=MOVED).task("repair").returned is None


# ---- the monitor itself ------------------------------------------------------------------------------------------


def test_a_drill_is_run_at_the_newest_scored_partition_and_kept(after):
    ended = after.run("drill", partition="2024-01-30").task("drill")
    assert ended.state == "success", ended.error
    assert (ended.returned["partition"], ended.returned["exercises"]["untouched"]) == (MOVED, "passed")
    record = json.loads(lake(after).get(f"drills/tiny/{MOVED}.json"))
    assert record["outcome"] == ended.returned["outcome"]


# ---- with a rollout ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """The same use case, where a candidate is first scored in shadow."""
    folder = tmp_path_factory.mktemp("staged")
    spec = shutil.copytree(tiny.USE_CASES / "tiny", folder / "tiny") / "spec.yaml"
    spec.write_text(spec.read_text() + "\nrollout: {shadow: {partitions: 2}}\n")
    return folder, parse(folder)


def test_a_challenger_is_scored_in_shadow_and_waits_for_its_labels(after, staged, monkeypatch):
    world = World(after.home, staged[1]).enter(monkeypatch, staged[0])
    ledger = Ledger(lake(world), "tiny")
    trained, champion = ledger.records()[0], ledger.state().champion
    shadow = trained.facts["baselines"]["trivial"]
    ledger.append("challenger", why="w", who="w", partition=CALM, model=shadow, facts={"champion": champion})
    again = world.run("score", partition=CALM, conf={"rescore": True}).all()
    assert again["reconcile"].returned["models"] == [champion]
    roles = lake(world).read("scores/tiny", [CALM]).group_by(["role", "model"]).aggregate([]).to_pylist()
    assert {row["role"]: row["model"] for row in roles} == {"champion": champion, "challenger": shadow}
    told = world.run("monitor", partition=MOVED).task("rollout")
    assert told.returned["outcome"] == "waits"
    assert told.announced == {}
