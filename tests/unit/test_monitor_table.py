import math

from updraft.lake import Lake
from updraft.monitor.table import SCHEMA, Measurement, from_arrow, to_arrow

MOVED = Measurement(
    "2013-04-01", "feature_psi", "temp", 0.31, 900, "drifted", "PSI 0.31 reaches its limit 0.2", limit=0.2
)
AUC = Measurement("2013-04-01", "auc", "all", 0.7, 800, "ok", low=0.65, high=0.75, limit=0.67)
SILENT = Measurement("2013-04-02", "auc", "all", math.nan, 0, "unknown", "no labels since 2013-03-30")


def test_measurements_have_one_schema_even_when_there_are_none():
    assert to_arrow([]).schema == SCHEMA
    assert to_arrow([MOVED]).schema == SCHEMA


def test_the_same_measurements_are_the_same_rows_in_any_order():
    assert to_arrow([MOVED, AUC]).equals(to_arrow([AUC, MOVED]))


def test_measurements_come_back_from_the_lake_as_they_went(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    lake.replace("monitor/late", to_arrow([MOVED, AUC]), ["2013-04-01"])
    lake.replace("monitor/late", to_arrow([SILENT]), ["2013-04-02"])
    for day, went in [("2013-04-01", [AUC, MOVED]), ("2013-04-02", [SILENT])]:
        came = from_arrow(lake.read("monitor/late", [day]))
        assert repr(came) == repr(went), "nan is not equal to itself"


def test_measuring_a_partition_again_commits_nothing(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    first = lake.replace("monitor/late", to_arrow([AUC, SILENT]), ["2013-04-01", "2013-04-02"])
    assert lake.replace("monitor/late", to_arrow([SILENT, AUC]), ["2013-04-01", "2013-04-02"]) == first


def test_an_undefined_number_is_null_to_sql():
    assert to_arrow([SILENT, AUC])["value"].to_pylist() == [0.7, None]
