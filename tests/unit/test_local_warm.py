import subprocess
import sys

FREEZE = "import gc, json; import updraft.local.warm; print(gc.get_freeze_count() > 1000, gc.isenabled())"


def test_what_is_imported_before_it_is_taken_out_of_the_collector_s_sight():
    done = subprocess.run([sys.executable, "-c", FREEZE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
