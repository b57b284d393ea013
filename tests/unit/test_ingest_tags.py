"""An API that says what it gave: the second run asks for what is new alone, and believes no more than it may."""

import json
from pathlib import Path

import pytest
from tests.served import serving

from updraft import ingest
from updraft.errors import DeliveryRefused
from updraft.sources import Connection

pytestmark = pytest.mark.slow

DAY = "2024-01-02"
ROWS = [{"id": 1, "at": "2024-01-02T09:00:00Z"}, {"id": 2, "at": "2024-01-02T10:00:00Z"}]


class Api:
    """An API with a version of its rows, which tells it by a tag."""

    def __init__(self):
        self.rows, self.version, self.honest, self.tags = ROWS, 1, True, True

    def __call__(self, asked):
        tag = f'"{self.version}"'
        if self.honest and asked.headers.get("If-None-Match") == tag:
            asked.say(b"", 304)
        else:
            asked.say(json.dumps(self.rows).encode(), **({"ETag": tag} if self.tags else {}))


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def run(make_case, lake, api, tmp_path):
    """Land from the API; return what was new, and the tag each request was made with."""

    def run(answer=api, **settings):
        about = {"type": "http", "key": ["id"], "event_time": "at", "known_at": {"delay": "1h"}}
        columns = {"id": {"type": "integer"}, "at": {"type": "timestamp"}}
        asked = {"connection": "api", "path": "/rows", "rate": "1000/second", **settings}
        case = make_case(entity=["id"], sources={"facts": {**about, "columns": columns, "http": asked}})
        with serving(answer) as server:
            reached = Connection("api", "http", "127.0.0.1", server.port, extra={"timeout": 2})
            landed = ingest.land(case, "facts", [DAY], lake, tmp_path, connections=lambda _: reached)
        return landed, [one.headers.get("If-None-Match") for one in server.asked]

    return run


def test_what_did_not_change_is_not_sent_again(run):
    assert run()[1] == [None]
    landed, tags = run()
    assert (landed.new, len(landed.deliveries), tags) == (0, 1, ['"1"'])


def test_what_changed_is_sent_and_its_tag_is_the_next_one(run, api):
    run()
    api.rows, api.version = ROWS[:1], 2
    landed, tags = run()
    assert (landed.new, len(landed.deliveries), tags) == (1, 2, ['"1"'])
    assert run()[1] == ['"2"']


def test_content_that_went_back_is_known_by_its_bytes(run, api):
    run()
    api.version = 2
    landed, _ = run()
    assert (landed.new, len(landed.deliveries)) == (0, 1)
    assert run()[1] == ['"2"']


@pytest.mark.parametrize("settings", [{"path": "/others"}, {"params": {"size": "9"}}])
def test_another_address_is_asked_without_the_tag(run, settings):
    run()
    assert run(**settings)[1] == [None]


def test_pages_are_asked_without_a_tag(run):
    paged = {"pages": {"link": True}}
    run(**paged)
    assert run(**paged)[1] == [None]


def test_an_api_without_tags_is_asked_whole(run, api):
    api.tags = False
    run()
    landed, tags = run()
    assert (landed.new, tags) == (0, [None])


def test_a_delivery_that_is_gone_from_the_lake_is_asked_for_again(run, lake):
    landed, _ = run()
    (Path(lake.uri) / f"deliveries/tiny/facts/{landed.deliveries[0].identity}.json").unlink()
    again, tags = run()
    assert (again.new, tags) == (1, [None])


def test_an_api_that_sends_again_what_it_was_told_we_have_changes_nothing(run, api):
    run()
    api.honest = False
    landed, tags = run()
    assert (landed.new, len(landed.deliveries), tags) == (0, 1, ['"1"'])


def test_nothing_new_from_an_api_we_never_asked_is_refused(run):
    with pytest.raises(DeliveryRefused, match="answered 304"):
        run(lambda asked: asked.say(b"", 304))


def test_a_tag_of_what_was_refused_is_not_kept(run, api, lake):
    api.rows = {"no": "list"}
    with pytest.raises(DeliveryRefused):
        run()
    assert lake.keys("tags") == []
    api.rows = ROWS
    assert run()[1] == [None]


def test_an_api_that_fails_between_is_asked_again_with_the_tag(run, api):
    run()

    def answer(asked):
        if asked.number == 0:
            asked.say(b"", 503, Retry_After="0")
        else:
            api(asked)

    landed, tags = run(answer)
    assert (landed.new, tags) == (0, ['"1"', '"1"'])
