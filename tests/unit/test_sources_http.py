"""Answers of an API, from a server on this machine that behaves well, and badly in every way we know."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.served import serving

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, SourceClosed, SourceUnavailable
from updraft.sources import Connection, Found
from updraft.sources.reach.pages import client

pytestmark = pytest.mark.slow

DAY = "2024-01-02"
ROWS = [{"id": n} for n in (2, 1, 3)]
LINES = b'{"id":1}\n{"id":2}\n{"id":3}\n'
AT_ONCE = {"Retry_After": "0"}


@pytest.fixture
def fetch(make_case):
    """Fetch from a server."""

    def fetch(answer, *, written="jsonl", caps=None, connection=None, **settings):
        about = {"key": ["id"], "event_time": "at", "known_at": {"delay": "1h"}, "format": written}
        columns = {"id": {"type": "integer"}, "at": {"type": "timestamp"}}
        asked = {"connection": "api", "path": "/rows", "rate": "1000/second", **settings}
        case = make_case(
            sources={"facts": {"type": "http", **about, "columns": columns, "caps": caps or {}, "http": asked}}
        )
        with serving(answer) as server:
            reached = Connection("api", "http", "127.0.0.1", server.port, **(connection or {"extra": {"timeout": 2}}))
            found = Found(DAY, f"api/{DAY}")
            looked_up = {"case": case, "connections": lambda name: reached}
            return sources.fetch(case.sources["facts"], found, None, **looked_up).read(), server

    return fetch


def said(value):
    return json.dumps(value).encode()


def parameters(asked):
    return dict(parse_qsl(urlsplit(asked.path).query))


# ---- well behaved -----------------------------------------------------------------------------------------------


def test_a_list_becomes_json_lines_in_an_order_of_their_own(fetch):
    assert fetch(lambda asked: asked.say(said(ROWS)))[0] == LINES
    assert fetch(lambda asked: asked.say(said(ROWS[::-1])))[0] == LINES


def test_the_window_is_filled_into_path_and_parameters(fetch):
    settings = {"path": "/rows/{partition}", "params": {"from": "{start}", "to": "{end}", "size": "9"}}
    _, server = fetch(lambda asked: asked.say(said([])), **settings)
    assert urlsplit(server.paths[0]).path == "/rows/2024-01-02"
    assert parameters(server.asked[0]) == {"from": "2024-01-02T00:00:00Z", "to": "2024-01-03T00:00:00Z", "size": "9"}


def test_rows_may_lie_deeper_in_the_answer(fetch):
    assert fetch(lambda asked: asked.say(said({"data": {"rows": ROWS}})), rows="data.rows")[0] == LINES


def test_pages_follow_the_address_in_the_body(fetch):
    def answer(asked):
        number = int(parameters(asked).get("after", 0))
        follows = f"/rows?after={number + 1}" if number < 2 else None
        asked.say(said({"rows": [ROWS[number]], "links": {"next": follows}}))

    data, server = fetch(answer, rows="rows", pages={"next": "links.next"}, params={"size": "1"})
    assert data == LINES
    assert server.paths == ["/rows?size=1", "/rows?after=1", "/rows?after=2"]


def test_pages_follow_the_link_header(fetch):
    def answer(asked):
        number = int(parameters(asked).get("page", 0))
        more = {"Link": f'</rows?page={number + 1}>; rel="next", </rows>; rel="first"'} if number < 2 else {}
        asked.say(said([ROWS[number]]), **more)

    assert fetch(answer, pages={"link": True})[0] == LINES


def test_pages_are_counted_to_the_first_without_rows(fetch):
    def answer(asked):
        number = int(parameters(asked)["p"])
        asked.say(said(ROWS[number - 1 : number]))

    data, server = fetch(answer, pages={"number": "p"}, params={"size": "1"})
    assert data == LINES
    assert [parameters(asked) for asked in server.asked] == [{"size": "1", "p": str(n)} for n in (1, 2, 3, 4)]


def test_pages_of_csv_become_one_with_a_single_header(fetch):
    texts = [b"\xef\xbb\xbfid,at\r\n1,x\r\n", b"id,at\n2,y", b"id,at\n"]
    data, _ = fetch(
        lambda asked: asked.say(texts[int(parameters(asked)["page"]) - 1]), written="csv", pages={"number": "page"}
    )
    assert data == b"id,at\r\n1,x\r\n2,y\n"


@pytest.mark.parametrize(
    ("entry", "header"),
    [
        pytest.param({"login": "me", "password": "canary-secret"}, ("Authorization", "Basic bWU6Y2FuYXJ5LXNlY3JldA=="),
                     id="a login is basic"),
        pytest.param({"password": "canary-secret"}, ("Authorization", "Bearer canary-secret"), id="a token alone"),
        pytest.param({"extra": {"headers": {"X-Key": "canary-secret"}}}, ("X-Key", "canary-secret"), id="a header"),
        pytest.param({}, ("Authorization", None), id="an open door"),
    ],
)  # fmt: skip
def test_a_connection_enters_as_it_says(fetch, entry, header):
    _, server = fetch(lambda asked: asked.say(said([])), connection=entry)
    assert server.asked[0].headers[header[0]] == header[1]


@pytest.mark.parametrize(
    ("connection", "base"),
    [
        (Connection("a", "http", "api.example"), "http://api.example"),
        (Connection("a", "http", "api.example", 8443, "https"), "https://api.example:8443"),
        (Connection("a", "http", "https://api.example", schema="v1"), "https://api.example"),
        (Connection("a", "", "api.example"), "https://api.example"),
    ],
)
def test_a_connection_says_where_the_api_is(connection, base):
    with client(connection) as opened:
        assert str(opened.base_url).rstrip("/") == base


@pytest.mark.parametrize("connection", [Connection("a", "http"), Connection("a", "postgres", "db")])
def test_a_connection_without_a_host_over_http_is_named(connection):
    with pytest.raises(SourceClosed, match="'a'"):
        client(connection)


# ---- badly behaved ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(lambda asked: asked.say(status=500), id="500"),
        pytest.param(lambda asked: asked.say(status=503, **AT_ONCE), id="503, come back at once"),
        pytest.param(lambda asked: asked.say(status=429, **AT_ONCE), id="429"),
        pytest.param(lambda asked: asked.drop(), id="drops the connection"),
        pytest.param(lambda asked: (asked.say(said(ROWS)[:9], length=30), asked.drop()), id="cuts the body"),
        pytest.param(lambda asked: asked.say(said(ROWS), length=10_000), id="promises more than comes"),
        pytest.param(lambda asked: time.sleep(0.5), id="says nothing"),
        pytest.param(lambda asked: asked.say(b"no gzip", Content_Encoding="gzip"), id="lies about its encoding"),
    ],
)
def test_what_may_pass_is_asked_again(fetch, first):
    def answer(asked):
        first(asked) if asked.number < 2 else asked.say(said(ROWS))

    data, server = fetch(answer, connection={"extra": {"timeout": 0.3}})
    assert data == LINES
    assert len(server.asked) == 3


def test_it_waits_as_long_as_it_is_told(fetch):
    soon = datetime.now(UTC) + timedelta(seconds=2)
    asked_at = []

    def answer(asked):
        asked_at.append(time.monotonic())
        later = ["1", format_datetime(soon, usegmt=True)]
        asked.say(status=429, Retry_After=later[asked.number]) if asked.number < 2 else asked.say(said([]))

    fetch(answer)
    assert asked_at[1] - asked_at[0] >= 1
    assert datetime.now(UTC) >= soon - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("answer", "error", "tries", "what"),
    [
        pytest.param(lambda asked: asked.say(status=500, **AT_ONCE), SourceUnavailable, 6, "answered 500", id="500"),
        pytest.param(lambda asked: asked.say(status=429, Retry_After="9999"), SourceUnavailable, 1,
                     "come back in 9999 seconds", id="too long a wait"),
        pytest.param(lambda asked: asked.say(status=401), SourceClosed, 1, "'api' is not let in", id="401"),
        pytest.param(lambda asked: asked.say(status=403), SourceClosed, 1, "'api' is not let in", id="403"),
        pytest.param(lambda asked: asked.say(status=404), DeliveryMissing, 1, "answered 404 for /rows", id="404"),
        pytest.param(lambda asked: asked.say(status=400), DeliveryRefused, 1, "answered 400", id="400"),
        pytest.param(lambda asked: asked.say(status=302, Location="http://127.0.0.2/"), DeliveryRefused, 1,
                     "answered 302", id="a redirect is not followed"),
        pytest.param(lambda asked: asked.say(b"<html>"), SourceUnavailable, 1, "not JSON", id="no JSON"),
        pytest.param(lambda asked: asked.say(b"[" * 100_000), SourceUnavailable, 1, "not JSON", id="nested for ever"),
        pytest.param(lambda asked: asked.say(b'{"data": []}'), DeliveryRefused, 1, "no list of rows.*'data'",
                     id="another shape"),
        pytest.param(lambda asked: asked.say(b'[]', Link='<http://127.0.0.2:1/>; rel="next"'), DeliveryRefused, 1,
                     "another server, '127.0.0.2'", id="a page elsewhere"),
        pytest.param(lambda asked: asked.say(b'[]', Link='</rows>; rel="next"'), DeliveryRefused, 2,
                     "pages never end", id="a page that leads to itself"),
    ],
)  # fmt: skip
def test_what_stays_is_refused_with_the_reason_and_no_secret(fetch, answer, error, tries, what):
    counted = []

    def count(asked):
        counted.append(asked)
        answer(asked)

    with pytest.raises(error, match=what) as failure:
        fetch(count, pages={"link": True}, connection={"login": "me", "password": "canary-secret"})
    assert len(counted) == tries
    assert "canary" not in f"{failure.value!r} {failure.value.__cause__!r}"


def test_a_server_that_ignores_the_page_asked_for_is_noticed(fetch):
    with pytest.raises(DeliveryRefused, match="Page 2 is one that was there before"):
        fetch(lambda asked: asked.say(said(ROWS)), pages={"number": "page"})


def test_an_endless_body_is_cut_off_at_the_cap(fetch):
    def answer(asked):
        asked.start()
        for _ in range(10_000):
            asked.handler.wfile.write(b"x" * 65_536)

    with pytest.raises(DeliveryRefused, match=r"more than 1000000 bytes.*raise `caps\.bytes`"):
        fetch(answer, caps={"bytes": 1_000_000})


def test_the_cap_holds_for_all_pages_together_and_after_decompression(fetch):
    import gzip

    body = gzip.compress(said([{"id": "x" * 400_000}]))

    def answer(asked):
        number = int(parameters(asked).get("n", 0)) + 1
        asked.say(body, Content_Encoding="gzip", Link=f'</rows?n={number}>; rel="next"')

    with pytest.raises(DeliveryRefused, match="more than 1000000 bytes"):
        fetch(answer, pages={"link": True}, caps={"bytes": 1_000_000})


def test_a_server_that_drips_is_given_up(fetch):
    def answer(asked):
        asked.start()
        for _ in range(50):
            asked.handler.wfile.write(b" ")
            asked.handler.wfile.flush()
            time.sleep(0.02)

    with pytest.raises(SourceUnavailable, match="too slowly"):
        fetch(answer, connection={"extra": {"timeout": 0.035}})


def test_requests_stay_within_the_rate(fetch):
    def answer(asked):
        number = int(parameters(asked)["page"])
        asked.say(said([{"id": number}] if number < 4 else []))

    began = time.monotonic()
    fetch(answer, pages={"number": "page"}, rate="2/second")
    assert time.monotonic() - began >= 0.9
