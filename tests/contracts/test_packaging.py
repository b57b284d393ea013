"""The image and the settings of a local Airflow, without building either."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
IGNORED = re.findall(r"^[^#\n].*$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
SETTINGS = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text(encoding="utf-8"))


def steps(verb: str) -> list[str]:
    return [step.strip() for step in re.findall(rf"^{verb} +(.*)$", DOCKERFILE, re.M)]


def test_the_image_starts_from_one_pinned_python():
    images = {step.split()[0] for step in steps("FROM")}
    assert len(images) == 1
    [image] = images
    version = re.fullmatch(r"python:(3)\.(\d+)\.\d+-slim-bookworm", image)
    assert version is not None
    wanted = re.search(
        r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    assert wanted is not None
    assert int(wanted[1]) <= int(version[2]) < int(wanted[2])


def test_everything_from_a_registry_is_held_against_its_hash():
    installs = [part for step in steps("RUN") for part in step.split("&&") if re.search(r"pip install", part)]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or ("--no-deps" in install and "--no-build-isolation" in install), install
    for lock in ("requirements.lock", "requirements-uv.lock"):
        assert f"/build/{lock}" in DOCKERFILE
        assert "--hash=sha256:" in (ROOT / lock).read_text(encoding="utf-8")


def test_the_image_does_not_run_as_root_and_holds_no_secret():
    assert steps("USER") == ["50000:0"]
    assert DOCKERFILE.rindex("\nUSER ") > DOCKERFILE.rindex("\nRUN ")
    assert steps("ADD") == []
    assert not re.search(r"PASSWORD|SECRET|FERNET|TOKEN", DOCKERFILE)


def kept(path: str) -> bool:
    """Whether a path reaches the builder: the last line of .dockerignore that fits decides."""
    keep = True
    for line in IGNORED:
        pattern = line.removeprefix("!")
        if fnmatch(path, pattern) or path.startswith(f"{pattern}/") or fnmatch(path, pattern.replace("**/", "*")):
            keep = line.startswith("!")
    return keep


def test_what_is_copied_exists_and_reaches_the_builder():
    copied = [source for step in steps("COPY") if "--from" not in step for source in step.split()[:-1]]
    assert set(copied) >= {"requirements.lock", "include", "plugins", "dags", "pyproject.toml"}
    for source in copied:
        assert (ROOT / source).exists(), source
        assert kept(source), source


@pytest.mark.parametrize("path", [".env", ".git", ".updraft", "tests", "inbox", "include/updraft/__pycache__"])
def test_what_is_private_or_made_stays_out(path):
    assert not kept(path)


def test_what_is_no_python_is_declared_as_data_of_its_package():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-data"
    ]
    found = [file for file in (ROOT / "include" / "updraft").rglob("*.*") if file.suffix not in (".py", ".pyc")]
    assert found
    for file in found:
        package = file.parent
        while not (package / "__init__.py").exists():
            package = package.parent
        patterns = declared.get(".".join(package.relative_to(ROOT / "include").parts), [])
        assert any(file.relative_to(package).match(pattern) for pattern in patterns), file


def mapping(required: str, optional: str = "", **kinds: object) -> dict[str, object]:
    properties = {**dict.fromkeys(f"{required} {optional}".split(), True), **kinds}
    return {"type": "object", "additionalProperties": False, "required": required.split(), "properties": properties}


TEXT = {"type": "string", "minLength": 1}
# The format of the Astro CLI, which has no published schema; its keys are those of `astro dev object export`.
PARTS = {
    "connections": mapping(
        "conn_id conn_type", "conn_host conn_schema conn_login conn_password conn_port conn_uri",
        conn_id=TEXT, conn_type=TEXT, conn_extra={"type": ["object", "null"]},
    ),
    "pools": mapping(
        "pool_name pool_slot pool_description",
        pool_name=TEXT, pool_slot={"type": "integer", "minimum": 1}, pool_description=TEXT,
    ),
    "variables": mapping("variable_name variable_value", variable_name=TEXT),
}  # fmt: skip
LISTS = {part: {"type": "array", "items": items} for part, items in PARTS.items()}
FORMAT = mapping("airflow", airflow=mapping("connections pools variables", **LISTS))


def test_airflow_settings_are_in_the_form_astro_reads():
    jsonschema.validate(SETTINGS, FORMAT)


def test_airflow_settings_hold_no_secret():
    for connection in SETTINGS["airflow"]["connections"]:
        assert not any(connection[field] for field in ("conn_login", "conn_password", "conn_host", "conn_schema"))
        assert not re.search(r"(?i)key|secret|password|token", str(connection["conn_extra"]))


def test_the_names_are_those_the_dags_use():
    conventions = (ROOT / "plugins" / "updraft_airflow" / "conventions.py").read_text(encoding="utf-8")
    named = dict(re.findall(r'^(LAKE|REGISTRY|\w+_POOL) = "(\w+)"$', conventions, re.M))
    pools = {name for constant, name in named.items() if constant.endswith("_POOL")}
    assert {c["conn_id"] for c in SETTINGS["airflow"]["connections"]} == {named["LAKE"], named["REGISTRY"]}
    assert {p["pool_name"] for p in SETTINGS["airflow"]["pools"]} == pools
    made = re.findall(r"airflow pools set (\w+) (\d+)", (ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
    assert {name: int(slots) for name, slots in made} == {
        pool["pool_name"]: pool["pool_slot"] for pool in SETTINGS["airflow"]["pools"]
    }
