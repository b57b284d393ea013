import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from updraft.cli import check, demo, rollback, run, status
from updraft.cli.main import app, main
from updraft.local.processes import Processes, program

VERBS = {"check", "run", "status", "rollback", "demo", "stop"}


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """Type a command, and get what it ended with."""
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "home"))

    def typed(*arguments):
        monkeypatch.setattr(sys, "argv", ["updraft", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0

    return typed


def test_its_help_names_every_verb():
    shown = CliRunner().invoke(app, ["--help"]).output
    assert {verb for verb in VERBS if re.search(rf"^\W*{verb}\b", shown, re.MULTILINE)} == VERBS


@pytest.mark.parametrize("module", [check, demo, rollback, run, status])
def test_a_verb_is_a_file(module):
    verb = module.__name__.rpartition(".")[2]
    assert callable(getattr(module, verb))
    assert module.__doc__.startswith(f"`updraft {verb}`")


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_says_what_it_does(verb):
    shown = CliRunner().invoke(app, [verb, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output) > 100


def test_an_error_of_updraft_is_a_message_with_the_next_step_and_no_traceback(typed, capsys):
    assert typed("status", "nowhere") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("SpecInvalid: There is no use case 'nowhere'")
    assert "Next: check the name" in told.err
    assert "Traceback" not in told.err


def test_a_name_that_could_be_a_path_is_refused(typed, capsys):
    assert typed("status", "../../etc") == 1
    assert capsys.readouterr().err.startswith("NameInvalid: '../../etc' is not a name.")


def test_a_word_that_is_no_verb_is_an_error_of_usage(typed):
    assert typed("chekc") == 2


def test_stopping_when_nothing_runs_says_so(typed, capsys):
    assert typed("stop") == 0
    assert capsys.readouterr().out == "Nothing was running.\n"


def test_stopping_names_what_was_stopped(typed, capsys, tmp_path):
    Processes(tmp_path / "home").start("scheduler", [sys.executable, "-c", "import time; time.sleep(60)"], os.environ)
    assert typed("stop") == 0
    assert capsys.readouterr().out == "Stopped scheduler.\n"


def test_nothing_is_sent_home(monkeypatch):
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_the_command_is_installed_and_starts_without_the_libraries_of_the_stages(tmp_path):
    code = "import sys; sys.argv = ['updraft', 'stop']; from updraft.cli.main import main; main()"
    heavy = ["pandas", "sklearn", "lightgbm", "mlflow", "great_expectations", "duckdb", "deltalake"]
    probe = f"import atexit, sys; atexit.register(lambda: print([m for m in {heavy} if m in sys.modules])); {code}"
    env = {**os.environ, "UPDRAFT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", probe], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "Nothing was running.\n[]\n"
    assert os.access(program("updraft"), os.X_OK)
