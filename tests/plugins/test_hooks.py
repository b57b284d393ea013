import json

import pytest

from updraft.errors import SpecInvalid
from updraft.lake import Lake
from updraft_airflow import conventions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.hooks.registry import RegistryHook

SECRET = "canary-secret"


@pytest.fixture
def connect(monkeypatch):
    """Declare a connection as a deployment does, in the environment."""

    def connect(name, **about):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "aws", **about}))

    return connect


def test_without_a_connection_the_lake_is_where_the_settings_say(world):
    assert LakeHook().get_conn() == Lake(str(world.home / "lake"))


def test_the_setting_for_the_lake_may_name_a_store(world, monkeypatch):
    monkeypatch.setenv("UPDRAFT_LAKE", "s3://flights/lake")
    assert LakeHook().get_conn() == Lake("s3://flights/lake")


@pytest.mark.parametrize(
    ("connection", "uri", "options"),
    [
        pytest.param({"extra": {"uri": "/data/lake"}}, "/data/lake", {}, id="a folder"),
        pytest.param({"extra": {"uri": "s3://flights/lake"}}, "s3://flights/lake", {}, id="credentials of the machine"),
        pytest.param(
            {"login": "key", "password": SECRET, "extra": {"uri": "s3://b", "region_name": "eu-west-1"}},
            "s3://b",
            {"aws_access_key_id": "key", "aws_secret_access_key": SECRET, "aws_region": "eu-west-1"},
            id="an access key",
        ),
        pytest.param(
            {"extra": {"uri": "s3://b", "endpoint_url": "http://minio:9000", "aws_session_token": SECRET}},
            "s3://b",
            {"aws_endpoint": "http://minio:9000", "aws_token": SECRET, "allow_http": "true"},
            id="a store of one's own, over http",
        ),
        pytest.param(
            {"extra": {"uri": "s3://b", "endpoint_url": "https://minio:9000"}},
            "s3://b",
            {"aws_endpoint": "https://minio:9000"},
            id="over https nothing is loosened",
        ),
    ],
)
def test_a_connection_says_where_the_lake_is_and_how_to_enter(world, connect, connection, uri, options):
    connect("updraft_lake", **connection)
    lake = LakeHook().get_conn()
    assert (lake.uri, dict(lake.options)) == (uri, options)


def test_a_connection_without_a_uri_leaves_the_place_to_the_settings(world, connect):
    connect("updraft_lake", login="key", password=SECRET)
    assert LakeHook().get_conn().uri == str(world.home / "lake")


def test_another_connection_may_be_named(world, connect):
    connect("elsewhere", extra={"uri": "/elsewhere"})
    assert LakeHook("elsewhere").get_conn() == Lake("/elsewhere")


def test_a_lake_does_not_show_its_secrets(world, connect):
    connect("updraft_lake", login="key", password=SECRET, extra={"uri": "s3://b", "aws_session_token": SECRET})
    lake = LakeHook().get_conn()
    assert SECRET not in repr(lake) + str(lake) + lake.location("models/x")


def test_without_a_connection_the_registry_is_where_the_settings_say(world):
    registry = RegistryHook().get_conn()
    assert registry.tracking_uri == f"sqlite:///{world.home / 'mlflow.db'}"
    assert registry.artifacts == str(world.home / "mlartifacts")


def test_a_connection_says_where_the_registry_is_and_its_address_is_not_shown(world, connect):
    connect("updraft_mlflow", extra={"tracking_uri": "postgresql://u:canary-secret@db/mlflow", "artifacts": "s3://a"})
    registry = RegistryHook().get_conn()
    assert (registry.tracking_uri, registry.artifacts) == ("postgresql://u:canary-secret@db/mlflow", "s3://a")
    assert SECRET not in repr(registry)


def test_a_registry_that_keeps_files_is_refused_with_the_next_step(world, connect):
    connect("updraft_mlflow", extra={"tracking_uri": "file:///tmp/mlruns"})
    with pytest.raises(SpecInvalid, match="use sqlite"):
        RegistryHook().get_conn()


def test_hooks_and_operators_speak_of_the_same_connections():
    assert LakeHook.default_conn_name == conventions.LAKE
    assert RegistryHook.default_conn_name == conventions.REGISTRY
