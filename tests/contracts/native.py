"""Run by test_compose.py in one process of its own: what the installed programs say to what docker-compose.yaml asks.

Reads `{"airflow": [[argument]], "mlflow": [[argument]], "modules": [name]}` from standard input, under the environment
of the compose file; writes one line of JSON with what is wrong.
"""

import importlib
import json
import os
import sys

Asked = dict[str, list[list[str]]]


def unknown_settings(asked: Asked) -> list[str]:
    from airflow.configuration import conf

    known = conf.configuration_description
    wrong = []
    for name in os.environ:
        if name.startswith("AIRFLOW__"):
            section, key = name.removeprefix("AIRFLOW__").lower().split("__", 1)
            if key not in known.get(section, {}).get("options", {}):
                wrong.append(name)
    return wrong


def refused_airflow_commands(asked: Asked) -> list[str]:
    from airflow.cli.cli_parser import get_parser

    wrong = []
    for arguments in asked["airflow"]:
        try:
            get_parser().parse_args(arguments)
        except SystemExit as refused:
            if refused.code:
                wrong.append(" ".join(arguments))
    return wrong


def refused_mlflow_commands(asked: Asked) -> list[str]:
    import click
    from mlflow.cli import cli

    wrong = []
    for command, *options in asked["mlflow"]:
        try:
            cli.commands[command].make_context(command, options)
        except (KeyError, click.ClickException) as refused:
            wrong.append(f"{command}: {refused}")
    return wrong


def broken_modules(asked: Asked) -> list[str]:
    wrong = []
    for (name,) in asked["modules"]:
        try:
            importlib.import_module(name)
        except ImportError as refused:
            wrong.append(f"{name}: {refused}")
    return wrong


def lake(asked: Asked) -> dict[str, object]:
    from updraft_airflow.hooks.lake import LakeHook

    opened = LakeHook().get_conn()
    return {"uri": opened.uri, "options": dict(opened.options)}


QUESTIONS = (unknown_settings, refused_airflow_commands, refused_mlflow_commands, broken_modules, lake)

if __name__ == "__main__":
    told = json.load(sys.stdin)
    sys.stdout.write("\n" + json.dumps({question.__name__: question(told) for question in QUESTIONS}) + "\n")
