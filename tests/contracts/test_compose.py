"""docker-compose.yaml without Docker: its form, secrets and ports, and every command asked of the real programs."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.served import serving

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yaml"
TEXT = FILE.read_text(encoding="utf-8")
VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<word>[^}]*))?\}")
AIRFLOWS = {"init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
# What the images that are not ours know, by their manuals; `weed mini` of SeaweedFS 4.47, valkey-server 8.1.
WEED = {"-dir", "-ip", "-ip.bind", "-webdav", "-admin.ui", "-s3.port.iceberg"}
VALKEY = {"--requirepass", "--save", "--appendonly"}


def rendered(text: str) -> str:
    """Fill in variables as Compose does: the default where there is one, else the variable's own name as its value."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return found["word"] if found["how"] == ":-" else f"the{found['name'].replace('_', '')}"

    return VARIABLE.sub(value, text)


WRITTEN: dict[str, Any] = yaml.safe_load(TEXT)
COMPOSE: dict[str, Any] = yaml.safe_load(rendered(TEXT))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_it_keeps_to_the_compose_specification():
    done = subprocess.run(
        [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_holds_the_services_of_a_team():
    assert set(SERVICES) == AIRFLOWS | {"postgres", "redis", "store", "mlflow", "prometheus", "grafana"}


def test_every_variable_is_told_of_in_the_example_of_env_and_every_secret_must_be_given():
    example = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    empty = {line.removesuffix("=") for line in example if re.fullmatch(r"\w+=", line)}
    optional = dict(line.removeprefix("# ").split("=", 1) for line in example if re.fullmatch(r"# [A-Z_]+=\S+", line))
    used = [found for found in VARIABLE.finditer(TEXT) if found["name"]]
    assert {found["name"] for found in used if found["how"] == ":?"} == empty
    assert {found["name"]: found["word"] for found in used if found["how"] == ":-"} == optional
    assert [found[0] for found in used if not found["how"]] == [], "an unset variable would become an empty word"
    assert len(empty) + len(optional) == sum("=" in line and "`" not in line for line in example)


def test_there_are_no_passwords_in_the_file():
    secret = re.compile(r"PASSWORD|SECRET|_KEY$|ACCESS_KEY_ID|_CONN$|BROKER_URL|RESULT_BACKEND|STORE_URI")
    seen = 0
    for name, service in WRITTEN["services"].items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable):
                seen += 1
                assert ":?" in str(value), f"{name}: {variable}"
    assert seen > 20
    assert re.findall(r"://[^/\s:]*:(?!\$\{\w+:\?)[^/\s]*@", TEXT) == []


def test_no_secret_stands_in_a_command_line():
    for name, service in WRITTEN["services"].items():
        said = json.dumps([service.get("command"), service.get("healthcheck")])
        assert not re.search(r"(?<!\$)\$\{", said), f"{name}: read it from the environment, where `ps` does not show it"


def test_what_is_published_is_published_on_loopback_alone():
    published = {port for service in SERVICES.values() for port in service.get("ports", [])}
    assert published == {"127.0.0.1:8080:8080", "127.0.0.1:5000:5000", "127.0.0.1:3000:3000"}
    assert not any("network_mode" in service or service.get("privileged") for service in SERVICES.values())


def test_every_image_is_pinned():
    for name, service in SERVICES.items():
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", service["image"]), name


def test_every_service_that_stays_shows_its_health_and_comes_back():
    for name, service in SERVICES.items():
        if name == "init":
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name


def test_everything_waits_for_what_it_needs():
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed == "init" else "service_healthy"
            assert how["condition"] == wanted, (name, needed)
    assert {name for name, service in SERVICES.items() if "init" in service.get("depends_on", {})} == AIRFLOWS - {
        "init"
    }


def test_every_volume_and_config_that_is_used_is_declared():
    used = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if v[0] not in "./$"}
    assert used == set(COMPOSE["volumes"])
    assert {c["source"] for s in SERVICES.values() for c in s.get("configs", [])} == set(COMPOSE["configs"])


def test_our_own_services_run_without_privileges():
    ours = {name for name, service in SERVICES.items() if service["image"].startswith("updraft:")}
    assert ours == AIRFLOWS | {"mlflow"}
    for name in ours:
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


def command_lines() -> Iterator[list[str]]:
    """Every command line of our own services: commands, the lines of scripts, and health checks."""
    for name in AIRFLOWS | {"mlflow"}:
        service = SERVICES[name]
        for said in (service["command"], service.get("healthcheck", {}).get("test", ["CMD"])[1:]):
            script = said[-1] if said[:1] == ["bash"] or len(said) == 1 else None
            lines = script.splitlines() if script else [shlex.join(said)]
            yield from (shlex.split(line) for line in lines if line)


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    lines = list(command_lines())
    asked = {
        "airflow": [line[1:] for line in lines if line[0] == "airflow"],
        "mlflow": [line[1:] for line in lines if line[0] == "mlflow"],
        "modules": [[line[2].rsplit(".", 1)[0]] for line in lines if line[0] == "celery"],
    }
    assert [len(asked[program]) for program in ("airflow", "mlflow", "modules")] == [10, 1, 1]
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    home = str(tmp_path_factory.mktemp("airflow"))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("native.py"))],
        input=json.dumps(asked), capture_output=True, text=True, check=False,
        env={**keep, **SERVICES["worker"]["environment"], "AIRFLOW_HOME": home, "OTEL_SDK_DISABLED": "true"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_command_line_is_of_a_program_that_is_looked_at():
    assert {line[0] for line in command_lines()} == {"airflow", "mlflow", "celery", "python"}


def test_airflow_knows_every_command(native):
    assert native["refused_airflow_commands"] == []


def test_mlflow_knows_every_option(native):
    assert native["refused_mlflow_commands"] == []


def test_airflow_knows_every_setting(native):
    assert native["unknown_settings"] == []


COUNT = """
from airflow._shared.observability.metrics import stats
from airflow.observability.metrics import stats_utils
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
stats.incr("ti.finish")
from opentelemetry import metrics
metrics.get_meter_provider().force_flush()
"""


def test_airflow_sends_its_own_metrics_where_prometheus_takes_them(tmp_path):
    worker = SERVICES["worker"]["environment"]
    told = {name: value for name, value in worker.items() if name.startswith(("OTEL_", "AIRFLOW__METRICS__"))}
    with serving(lambda asked: asked.say(b"")) as sink:
        address = told["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"].replace("prometheus:9090", f"127.0.0.1:{sink.port}")
        told |= {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": address, "AIRFLOW_HOME": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", COUNT], env={**os.environ, **told}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "/api/v1/otlp/v1/metrics" in sink.paths


def test_prometheus_asks_where_the_plugin_answers():
    [job] = yaml.safe_load(COMPOSE["configs"]["prometheus"]["content"])["scrape_configs"]
    plugin = (ROOT / "plugins/updraft_plugin.py").read_text(encoding="utf-8")
    assert f'"url_prefix": "{job["metrics_path"].rstrip("/")}"' in plugin
    assert job["static_configs"] == [{"targets": ["api-server:8080"]}]
    assert "--web.enable-otlp-receiver" in SERVICES["prometheus"]["command"]


def test_grafana_finds_its_source_and_its_dashboard():
    board = json.loads((ROOT / COMPOSE["configs"]["dashboard"]["file"]).read_text(encoding="utf-8"))
    [source] = yaml.safe_load(COMPOSE["configs"]["grafana-sources"]["content"])["datasources"]
    [provider] = yaml.safe_load(COMPOSE["configs"]["grafana-dashboards"]["content"])["providers"]
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}
    placed = {Path(one["target"]).parent for one in SERVICES["grafana"]["configs"] if one["source"] == "dashboard"}
    assert placed == {Path(provider["options"]["path"])}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_what_workers_run_on_can_be_imported(native):
    assert native["broken_modules"] == []


def test_the_connection_leads_to_the_lake_in_the_store(native):
    assert native["lake"] == {
        "uri": "s3://updraft/lake",
        "options": {
            "aws_access_key_id": "theSTOREACCESSKEY",
            "aws_secret_access_key": "theSTORESECRETKEY",
            "aws_region": "us-east-1",
            "aws_endpoint": "http://store:8333",
            "allow_http": "true",
        },
    }


def test_python_in_commands_is_python():
    scripts = [line[2] for line in command_lines() if line[:2] == ["python", "-c"]]
    assert len(scripts) == 4
    for script in scripts:
        ast.parse(script)


def test_the_programs_of_other_images_know_their_options():
    weed, *options = SERVICES["store"]["command"]
    assert weed == "mini"
    assert {option.split("=")[0] for option in options} == WEED
    shell, flag, script = SERVICES["redis"]["command"]
    words = shlex.split(script)
    assert (shell, flag, words[:2]) == ("sh", "-c", ["exec", "valkey-server"])
    assert {word for word in words if word.startswith("--")} == VALKEY
    assert "command" not in SERVICES["postgres"]


def test_hosts_in_addresses_are_services():
    addressed = set(re.findall(r"(?:@|http://)([a-z-]+)(?=[:/])", TEXT)) | {"store"}
    assert addressed <= set(SERVICES), addressed


def test_mlflow_s_databases_are_made_before_it_starts():
    made = set(re.findall(r"CREATE DATABASE (\w+);", COMPOSE["configs"]["databases"]["content"]))
    assert made | {SERVICES["postgres"]["environment"]["POSTGRES_DB"]} == set(re.findall(r"@postgres/(\w+)", TEXT))


@pytest.mark.slow
def test_the_bucket_is_made_once_and_found_the_second_time(tmp_path):
    from moto.server import ThreadedMotoServer

    [line] = [line for line in command_lines() if line[:2] == ["python", "-c"] and "bucket" in line[2]]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environment = {**os.environ, **SERVICES["init"]["environment"], "AIRFLOW_HOME": str(tmp_path)}
        lake = environment["AIRFLOW_CONN_UPDRAFT_LAKE"].replace("http://store:8333", f"http://{host}:{port}")
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, *line[1:]], env={**environment, "AIRFLOW_CONN_UPDRAFT_LAKE": lake},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-2000:]
        import boto3

        client = boto3.client(
            "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
            aws_access_key_id="x", aws_secret_access_key="x",
        )  # fmt: skip
        assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["updraft"]
    finally:
        server.stop()
