"""A real Airflow for the whole session: its own processes, its own folder, ports nobody else has."""

import os
import time

import pytest

from updraft.local import installation, processes
from updraft.settings import Settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    home = tmp_path_factory.mktemp("updraft")
    before = dict(os.environ)
    os.environ["UPDRAFT_HOME"] = str(home)
    for name in ("UPDRAFT_LAKE", "UPDRAFT_INBOX", "UPDRAFT_ARTIFACTS", "MLFLOW_TRACKING_URI", "AIRFLOW_HOME"):
        os.environ.pop(name, None)
    yield Settings.from_env()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def airflow(settings):
    """Started once; every process it started has ended when the session ends."""
    running = installation.start(settings, api_port=0, mlflow_port=0)
    try:
        installation.wait_ready(running, {f"flight_delays__{stage}" for stage in installation.STAGES})
        yield running
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(processes, "GRACE", 3.0)  # there is nothing left that would have to be finished
            running.processes.stop()
        deadline = time.monotonic() + 5
        while running.processes.running() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert running.processes.running() == []
