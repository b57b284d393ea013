from importlib import import_module

import pytest

RUN = ("use_case", "partition", "through")
TEMPLATED = {
    "operators.ingest.IngestOperator": (*RUN, "source"),
    "operators.features.BuildFeaturesOperator": RUN,
    "operators.score.PinChampionOperator": RUN,
    "operators.score.ScoreOperator": (*RUN, "champion", "rescore"),
    "operators.score.ReconcileOperator": RUN,
    "operators.monitor.MeasureOperator": RUN,
    "operators.monitor.IncidentOperator": RUN,
    "operators.train.PrepareDatasetOperator": RUN,
    "operators.train.FitOperator": RUN,
    "operators.train.GateOperator": (*RUN, "trained"),
    "operators.train.PromoteOperator": (*RUN, "trained"),
    "operators.train.AnnounceChampionOperator": (*RUN, "promoted"),
    "operators.retrain.DecideOperator": (*RUN, "reason"),
    "operators.retrain.RollBackOperator": (*RUN, "decision"),
    "operators.quarantine.QuarantineOperator": (*RUN, "action", "source", "reason", "rebuild"),
    "operators.quarantine.AnnounceRawOperator": RUN,
    "operators.approval.AskOperator": ("subject", "use_case", "trained", "gated", "partition"),
    "operators.rollback.RollBackByHandOperator": ("use_case", "reason", "leave"),
    "operators.rollout.RolloutOperator": RUN,
    "operators.drill.DrillOperator": RUN,
    "operators.alias.RepairAliasOperator": RUN,
    "sensors.delivery.DeliverySensor": ("use_case", "source", "partition", "through"),
}


@pytest.mark.parametrize("place", TEMPLATED)
def test_what_a_run_or_another_task_brings_is_templated(place):
    module, _, name = place.rpartition(".")
    assert getattr(import_module(f"updraft_airflow.{module}"), name).template_fields == TEMPLATED[place]
