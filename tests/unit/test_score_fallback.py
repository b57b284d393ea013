"""When the champion cannot score: who stands in for it, what every row says of that, and how it ends."""

import pytest
from tests import parcels, promises

from updraft import features, passport, receipt, rollout, score
from updraft.cli.explain import told
from updraft.errors import ModelRejected, NoChampion
from updraft.ledger import Ledger
from updraft.life import incidents, monitor
from updraft.life import score as scoring
from updraft.partition import calendar
from updraft.records import add_up

FIRST, DAY, NEXT = "2024-01-16", "2024-01-17", "2024-01-18"


def damage(world, model, file="calibration.json"):
    """Flip a byte of a model's file; return what puts it back."""
    key = f"models/parcels/{model}/{file}"
    whole = world.lake.get(key)
    world.lake.put(key, bytes([whole[0] ^ 1]) + whole[1:])
    return lambda: world.lake.put(key, whole)


def allow(world, tmp_path, *fallback):
    return parcels.write(tmp_path / "spec", rollout={"fallback": list(fallback)})


def ledger(world):
    return Ledger(world.lake, "parcels")


def trained(world):
    return next(r for r in ledger(world).records() if r.kind == "trained")


def rise(world):
    """Let another model of the same training become champion; return the two, the former first."""
    former, newer = ledger(world).state().champion, trained(world).facts["baselines"]["lightgbm"]
    for place in ("evidence", "references"):
        world.lake.put(f"{place}/parcels/{newer}.json", world.lake.get(f"{place}/parcels/{former}.json"))
    ledger(world).append(
        "promoted", why="by hand", who="test", model=newer, partition=FIRST, facts={"champion": former}
    )
    return former, newer


def run(world, key, case=None, **how):
    case = case or world.case
    scored, _ = scoring.partitions(case, [key], world.lake, champion=score.pinned(case, world.lake), who="t", **how)
    return scored


def rows(world, key):
    return world.lake.read("scores/parcels", [key]).to_pylist()


def sides(world, key):
    return {(row["role"], row["model"]) for row in rows(world, key)}


def open_kinds(world):
    return [record.facts["kind"] for record in incidents.unclosed(world.case, world.lake)]


def test_a_damaged_champion_is_stood_in_for_by_the_one_before_and_every_row_says_so(world):
    former, newer = rise(world)
    damage(world, newer)
    done = run(world, DAY)
    assert sides(world, DAY) == {("fallback", former)}
    assert (done.rows, done.fallback, done.models, done.kept) == (parcels.PER_DAY, parcels.PER_DAY, (former,), False)
    assert "changed or cut short" in done.because
    assert f"{former[:12]}, an earlier champion, scores in its place" in done.because
    assert any(row["acted"] and row["reasons"] for row in rows(world, DAY)), "they count like any other"
    counted = score.reconcile(world.case, [DAY], world.lake)
    assert (counted.rows, counted.fallback) == (parcels.PER_DAY, parcels.PER_DAY)
    (kept,), changed = receipt.of(world.case, world.lake, world.lake.read("scores/parcels", [DAY]))
    assert (kept.role, kept.model, kept.because, changed) == ("fallback", former, done.because, [])


def test_it_is_an_incident_until_the_champion_scores_again_and_nothing_is_rescored(world):
    _, newer = rise(world)
    repair = damage(world, newer)
    run(world, FIRST)
    run(world, DAY)
    (opened,) = [r for r in ledger(world).records() if r.kind == "incident"]
    assert (opened.facts["identity"], opened.partition) == (f"fallback:{newer}", FIRST)
    before = rows(world, DAY)
    repair()
    again = run(world, DAY)
    assert (again.kept, again.fallback, rows(world, DAY)) == (True, parcels.PER_DAY, before)
    assert open_kinds(world) == ["fallback"], "what is kept shows nothing new"
    run(world, NEXT)
    assert sides(world, NEXT) == {("champion", newer)}
    (closed,) = [r for r in ledger(world).records() if r.kind == "resolved"]
    assert (closed.facts["closes"], closed.partition) == ([opened.sequence], NEXT)
    assert (rows(world, DAY), open_kinds(world)) == (before, [])
    for kept in (promises.no_row_counts_twice, promises.no_reader_sees_half_a_version):
        assert kept(world.lake, world.case) == []
    assert promises.every_prediction_names_its_origins(world.lake, world.case) == []
    assert run(world, DAY, rescore=True).fallback == 0, "on purpose it is"


def test_a_run_that_died_before_it_told_anybody_tells_when_it_is_retried(world):
    _, newer = rise(world)
    damage(world, newer)
    score.partitions(world.case, [DAY], world.lake, champion=newer)
    assert open_kinds(world) == []
    assert run(world, DAY).kept
    assert open_kinds(world) == ["fallback"]


def test_without_an_earlier_champion_it_is_refused_as_the_default_has_no_unproven_model(world):
    champion = ledger(world).state().champion
    damage(world, champion)
    with pytest.raises(ModelRejected, match="changed or cut short"):
        run(world, DAY)
    assert world.lake.partitions("scores/parcels") == []


def test_a_spec_may_refuse_whoever_there_is(world, tmp_path):
    _, newer = rise(world)
    damage(world, newer)
    with pytest.raises(ModelRejected, match="changed or cut short"):
        run(world, DAY, allow(world, tmp_path))


def test_the_baseline_of_the_same_training_stands_in_where_the_spec_says_so(world, tmp_path):
    case = allow(world, tmp_path, "last_good", "baseline")
    damage(world, ledger(world).state().champion, "encoder.json")
    done = run(world, DAY, case)
    assert sides(world, DAY) == {("fallback", trained(world).facts["baselines"]["trivial"])}
    assert "the trivial baseline of the same training" in done.because
    assert len({row["score"] for row in rows(world, DAY)}) == 1
    assert score.reconcile(case, [DAY], world.lake).fallback == parcels.PER_DAY


def test_a_stand_in_that_is_damaged_too_is_passed_over(world, tmp_path):
    case = allow(world, tmp_path, "last_good", "baseline")
    former, newer = rise(world)
    damage(world, newer)
    damage(world, former)
    ledger(world).append("trained", why="by hand", who="test", model=newer, facts=trained(world).facts)
    assert "the trivial baseline" in run(world, DAY, case).because


def test_before_there_was_a_champion_a_baseline_stands_in_and_is_asked_to_be_replaced(world, tmp_path):
    case = allow(world, tmp_path, "baseline")
    ledger(world).append("retired", why="by hand", who="test", model=ledger(world).state().champion)
    assert "No model of parcels has been promoted" in run(world, DAY, case).because
    assert {role for role, _ in sides(world, DAY)} == {"fallback"}
    seen = monitor.watch_partitions(case, [DAY], world.lake)
    assert (seen.champion, seen.alarms, seen.due) == ("", {}, True)
    with pytest.raises(NoChampion):
        score.pinned(world.case, world.lake)


def test_a_changed_definition_is_refused_by_every_model_that_knows_another(world, tmp_path):
    rise(world)
    changed = parcels.write(tmp_path / "changed", parcels.FEATURES.replace("hour(ships_at)", "hour(ships_at) + 1"))
    features.build(changed, [DAY], world.lake)
    with pytest.raises(ModelRejected, match="another definition"):
        run(world, DAY, changed)


def test_nobody_is_scored_beside_a_stand_in(world, tmp_path):
    case = parcels.write(tmp_path / "probation", rollout={"probation": {"partitions": 2}})
    former, newer = ledger(world).state().champion, rise(world)[1]
    record = ledger(world).records()[-1]
    ledger(world).append(
        "promoted", why="by hand", who="test", model=newer, partition=FIRST, facts={"champion": former}
    )
    assert rollout.under_way(case, ledger(world).state()), record
    damage(world, newer)
    run(world, DAY, case)
    assert sides(world, DAY) == {("fallback", former)}


@pytest.mark.slow
def test_monitoring_counts_a_stand_in_s_rows_for_nobody_and_goes_on(world):
    former, newer = rise(world)
    run(world, FIRST)
    damage(world, newer)
    run(world, DAY)
    monitor.watch_partitions(world.case, [DAY], world.lake)
    seen = {r["metric"]: r for r in world.lake.read("monitor/parcels", [DAY]).to_pylist()}
    assert (seen["scored"]["subject"], seen["scored"]["value"]) == (newer, parcels.PER_DAY), "of two partitions, one"
    assert world.lake.partitions("monitor/parcels") == [DAY]
    at = calendar(world.case).at(DAY)
    assert monitor.resolve_incidents(world.case, at, world.lake, who="test") == [], "a new look does not mend it"
    assert former != newer


@pytest.mark.slow
def test_a_stand_in_s_prediction_is_explained_and_recomputed(world):
    former, newer = rise(world)
    damage(world, newer)
    done = run(world, DAY)
    found = passport.explain(world.case, world.lake, f"{DAY}-007", DAY)
    assert (found.prediction["role"], found.model["digest"], found.recomputes) == ("fallback", former, True)
    assert found.scored["because"] == done.because
    assert f"  stood in  {done.because}" in list(told(found))
    assert [check.what for check in found.checks if check.outcome == "broken" and check.layer == "ledger"] == []


def test_who_may_stand_in_follows_from_the_ledger_alone(world, tmp_path):
    state, case = ledger(world).state(), allow(world, tmp_path, "last_good", "baseline")
    own, trivial = state.champion, trained(world).facts["baselines"]["trivial"]
    plain = ("the trivial baseline of the same training", trivial)
    assert rollout.stand_ins(case, state, own) == [plain]
    former, newer = rise(world)
    state = ledger(world).state()
    assert rollout.stand_ins(case, state, newer) == [("an earlier champion", former)]
    assert rollout.stand_ins(case, state, former) == [plain], "never itself"
    assert rollout.stand_ins(case, add_up([], ""), None) == []
