import subprocess
import sys
from pathlib import Path

import pytest

FREEZE = "import gc, json; import updraft.local.warm; print(gc.get_freeze_count() > 1000, gc.isenabled())"


@pytest.mark.slow
def test_what_is_imported_before_it_is_taken_out_of_the_collector_s_sight():
    done = subprocess.run([sys.executable, "-c", FREEZE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


THREADS = """
import os, threading
import great_expectations.expectations, pandas
before = len(os.listdir("/proc/self/task")), threading.active_count()
import updraft.local.warm
print((len(os.listdir("/proc/self/task")), threading.active_count()) == before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells a process's threads here")
def test_what_it_makes_starts_no_thread_so_that_tasks_can_be_forked_from_it():
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "True"
