import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitored import use_case

from updraft.monitor.incident import incident, lasting, lasts
from updraft.monitor.watch import Alarm

CASE = use_case(monitor={"alarms": 3, "of": 5})
MODELS = {"c": "c" * 64, "o": "0" * 64}
KINDS = {"f": "feature_drift", "s": "prediction_drift", "p": "performance", "l": "label_outage"}


def history(line: str) -> list[Alarm | None]:
    """Partitions from a line of words: kinds of alarm (f, s, p), `-` for calm, `o:` before those of another model."""
    return [_day(f"day {place}", word) for place, word in enumerate(line.split(), 1)]


def _day(partition: str, word: str) -> Alarm | None:
    model, kinds = MODELS["o" if word.startswith("o:") else "c"], word.removeprefix("o:")
    return None if kinds == "-" else Alarm(partition, model, {KINDS[k]: f"{k} of {partition}" for k in kinds})


@pytest.mark.parametrize(
    ("line", "kind", "opened", "is_new"),
    [
        pytest.param("", None, None, None, id="nothing yet"),
        pytest.param("f f", None, None, None, id="too few"),
        pytest.param("f f f", "feature_drift", "day 3", True, id="just enough"),
        pytest.param("f - f - f", "feature_drift", "day 5", True, id="with gaps"),
        pytest.param("f - - f - - f", None, None, None, id="too thin"),
        pytest.param("f f f - -", "feature_drift", "day 3", False, id="lasting through calm days"),
        pytest.param("f f f - - -", None, None, None, id="resolved"),
        pytest.param("f f f f f f f f", "feature_drift", "day 3", False, id="announced once, however long"),
        pytest.param("f f f - - - f f f", "feature_drift", "day 9", True, id="again after it was resolved"),
        pytest.param("f s p f s p", None, None, None, id="kinds are counted apart"),
        pytest.param("fs fs fsp p p", "performance", "day 5", True, id="the worst kind first"),
        pytest.param("f f f fp fp fp f f", "performance", "day 6", False, id="a worse kind takes over"),
        pytest.param("f f f fp fp fp f f f", "feature_drift", "day 3", True, id="told again when the worse is over"),
        pytest.param("fs fs fs", "prediction_drift", "day 3", True, id="scores before features"),
        pytest.param("o:f o:f o:f f f", None, None, None, id="alarms of another model do not count"),
        pytest.param("o:f o:f f f f", "feature_drift", "day 5", True, id="nor do they open it earlier"),
    ],
)
def test_an_incident_is_k_alarms_of_one_kind_and_model_among_n_partitions(line, kind, opened, is_new):
    found = incident(history(line), CASE, champion=MODELS["c"])
    if kind is None:
        assert found is None
    else:
        assert (found.kind, found.opened, found.is_new) == (kind, opened, is_new)
        assert found.identity == f"{kind}:{MODELS['c']}"


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        pytest.param("f f", [], id="nothing"),
        pytest.param("fs fs fs", ["prediction_drift"], id="the worst of what moved"),
        pytest.param("l l l", ["label_outage"], id="labels that stopped arriving"),
        pytest.param("fl fl fl", ["feature_drift", "label_outage"], id="both are told"),
        pytest.param("f fl fl", ["feature_drift"], id="each is counted"),
    ],
)
def test_labels_that_stop_arriving_are_told_beside_what_moved(line, kinds):
    assert [found.kind for found in lasting(history(line), CASE, champion=MODELS["c"])] == kinds


def test_an_incident_lasts_though_a_worse_one_took_over():
    seen = history("fp fp fp")
    assert [lasts(seen, kind, CASE, champion=MODELS["c"]) for kind in ("performance", "feature_drift")] == [True, True]
    assert not lasts(seen, "prediction_drift", CASE, champion=MODELS["c"])
    assert not lasts(seen, "performance", CASE, champion=MODELS["o"])


def test_the_reason_says_how_many_of_how_many_and_quotes_the_newest_alarm():
    found = incident(history("f - f f -"), CASE, champion=MODELS["c"])
    assert found.reason == "feature_drift in 3 of the last 5 partitions (day 1, day 3, day 4); in day 4: f of day 4"


@given(st.lists(st.sampled_from(["-", "f", "o:f"]), max_size=30))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_an_incident_is_new_once_until_it_is_resolved(words):
    lasting = False
    for day in range(1, len(words) + 1):
        found = incident(history(" ".join(words[:day])), CASE, champion=MODELS["c"])
        assert found is None or found.is_new == (not lasting)
        lasting = found is not None
