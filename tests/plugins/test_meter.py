import numpy as np

from updraft_airflow.meter import Meter, rows_of


def test_a_meter_counts_processor_time_and_memory():
    meter = Meter()
    held = bytearray(50_000_000)
    while (used := meter.read()).cpu_seconds < 0.05:
        sum(range(10_000))
    assert used.seconds > 0
    assert used.peak_memory > len(held)


def test_rows_are_what_a_result_says_they_are():
    results = ({"rows": 3}, {"rows": np.int64(3)}, {"rows": "3"}, {}, None, "rows")
    assert [rows_of(result) for result in results] == [3, 3, None, None, None, None]
