"""Import this before airflow: it gives Airflow a home of its own in this process.

Each worker of pytest-xdist is a process and gets its own folder, so they share no database, log or configuration.
The settings are those of a real installation (`updraft.local.environment`).
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from updraft.local.environment import environment
from updraft.settings import Settings

ROOT = Path(__file__).parents[2]
HOME = Path(tempfile.mkdtemp(prefix="updraft-airflow-"))


def _settle() -> None:
    if "airflow" in sys.modules:
        raise RuntimeError("airflow was imported before its home was set: import tests.plugins.airflow_home first")
    atexit.register(shutil.rmtree, HOME, ignore_errors=True)
    os.environ["UPDRAFT_HOME"] = str(HOME)
    os.environ["UPDRAFT_USE_CASES"] = str(ROOT / "include" / "use_cases")
    variables = environment(Settings.from_env(), api_port=1, mlflow_port=1)
    os.environ.update({name: value for name, value in variables.items() if name.startswith("AIRFLOW")})


_settle()
