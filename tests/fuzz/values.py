"""Single values: for each declared type, texts a stranger may send, and what an independent reading makes of them."""

# ruff: noqa: E501, RUF001 - tables of hostile texts

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.fuzz.case import AT, Case, good, only

BAD = object()
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Monrovia", "Pacific/Apia", "UTC")
HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "=HYPERLINK(\"http://x\")", "'; DROP TABLE raw; --",
    "${jndi:ldap://x}", "{{ 7*7 }}", "{% raw %}", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "../../etc/passwd", "C:\\x", "\x1b[2J", "\x07\x08", "\u202eevil", "\u200b", "\ufeff", "ﷺ" * 50, "a\u0300" * 99,
    "NULL", "null", "None", "NaN", "nan", "NA", "inf", "true", "1e5", "0x10", "00", " ", "\xa0", "\x85", "\u2028",
    "%s%n", "%2e%2e", "\\", "\\N", "\\x00", "\"", "'", "`", "\r", "\n", "\r\n", "\n\n", ",", ";,\t|", "😀", "𝕏", "\U0010fffd",
    "x" * 60_000, "ä" * 30_000, "\x1e", "\x1a", "\x7f", "\ufffe", "\uffff", "İ", "ß", "ı",
)  # fmt: skip


def cases(random: Random, count: int) -> Iterator[Case]:
    """`count` deliveries of three rows, of which the second holds the value."""
    makers = (_integers, _numbers, _booleans, _moments, _locals, _texts)
    for n in range(count):
        kind, declared, text, read = makers[n % len(makers)](random, n // len(makers))
        write = _as_json if declared["type"] in ("string", "timestamp") and random.random() < 0.4 else _as_csv
        yield write(f"D13 D14 {kind}", declared, text, read)


def _as_csv(kind: str, declared: dict[str, Any], text: str, read: Any) -> Case:
    rows = [f"{good(1)},", f'{good(2)},"{text.replace(chr(34), chr(34) * 2)}"', f"{good(3)},"]
    body = ("id,at,x,ok,s,v\n" + "\n".join(rows)).encode(errors="surrogatepass")
    return _case(kind, body, read if text else None, {"v": {**declared, "nullable": True}})


def _as_json(kind: str, declared: dict[str, Any], text: str, read: Any) -> Case:
    rows: list[dict[str, Any]] = [{"id": n, "at": AT} for n in (1, 2, 3)]
    rows[1]["v"] = text
    if text == "":
        read = "" if declared["type"] == "string" else BAD
    body = "\n".join(json.dumps(row) for row in rows).encode()
    return _case(f"{kind} json", body, read, {"v": {**declared, "nullable": True}, "format": "jsonl"})


def _case(kind: str, body: bytes, read: Any, declared: dict[str, Any]) -> Case:
    if read is BAD:
        return Case(kind, lambda: body, only("quarantined"), (None, None), said="v: ", source=declared)
    return Case(kind, lambda: body, only("accepted"), (None, read, None), source=declared)


def _integers(random: Random, n: int) -> tuple[str, dict[str, Any], str, Any]:
    number = random.choice([random.getrandbits(random.randint(1, 80)), 2**63 - 1, 2**63, 2**31, 0])
    forms = ("{}", "-{}", "00{}", "{}.0", "{}.000", "+{}", " {}", "{} ", "{}.5", "{}e3", "0x{}", "{}_0", "{},0", "٣{}", "--{}",
             "{}-", "½{}", "", "-", ".", "{}.")  # fmt: skip
    text = forms[n % len(forms)].format(number)
    match = re.fullmatch(r"(-?[0-9]+)(\.0+)?", text, re.A)
    fits = match and -(2**63) <= int(match[1]) < 2**63
    return "integer", {"type": "integer"}, text, int(match[1]) if match and fits else BAD


def _numbers(random: Random, n: int) -> tuple[str, dict[str, Any], str, Any]:
    value = random.choice([random.uniform(-1, 1), random.gauss(0, 1e9), 10 ** random.uniform(-320, 308), 5e-324, 0.1])
    fixed = ("1e308", "-1e308", "1e309", "-0", "-0.0", "0e9999", "1e-999", "NaN", "nan", "-nan", "inf", "-inf", "Infinity", "1d5",
             "0x1p3", "1,5", "1.5.5", "1e", "e5", "+", ".", "5.", ".5", "+.5e+3", "1_0", "١", "1 ", "$1", "1%", "9" * 400,
             "0." + "0" * 400 + "1", "1" * 5000)  # fmt: skip
    text = fixed[n // 2 % len(fixed)] if n % 2 else repr(value)
    match = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text, re.A)
    return "number", {"type": "number"}, text, float(text) if match and math.isfinite(float(text)) else BAD


def _booleans(random: Random, n: int) -> tuple[str, dict[str, Any], str, Any]:
    known = {
        "true": True,
        "True": True,
        "TRUE": True,
        "1": True,
        "false": False,
        "False": False,
        "FALSE": False,
        "0": False,
    }
    pool = (
        *known,
        "tRuE",
        "yes",
        "no",
        "t",
        "f",
        "2",
        "-1",
        "0.0",
        "on",
        "off",
        " true",
        "true\n",
        "oui",
        "¬",
        "ＴＲＵＥ",
    )
    text = pool[n % len(pool)]
    return "boolean", {"type": "boolean"}, text, known.get(text, BAD)


def _moments(random: Random, n: int) -> tuple[str, dict[str, Any], str, Any]:
    fixed = ("1364774400", "1364774400000", "1364774400.5", "2013-02-29T00:00:00Z", "2012-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
             "2000-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "2013-13-01T00:00:00Z",
             "2013-04-31T00:00:00Z", "2013-04-01T24:00:00Z", "2013-04-01T23:59:60Z", "2013-04-01T12:00:00", "2013-04-01",
             "2013-04-01T12:00:00+25:00", "2013-04-01T12:00:00+14:00", "01/04/2013 12:00", "2013-W14-1", "2013-091", "now", "today",
             "2013-04-01t12:00:00z", "2013-04-01T12:00:00 Z", "−2013-04-01T00:00:00Z", "2013-04-01T12:00:00.123456Z",
             "2013-04-01T12:00:00.1234567Z", "９９９９-01-01T00:00:00Z", "9999-12-31T23:59:59-23:00", "1000-01-01T00:00:00+23:00",
             "2013-04-01T12:00:00Z\n", "2013-04-01T12:00:00+0530", "2013-04-01 12:00Z", "", "Infinity", "NaT")  # fmt: skip
    text = fixed[n // 2 % len(fixed)] if n % 2 else _random_moment(random)
    return "timestamp", {"type": "timestamp"}, text, _read_moment(text)


def _random_moment(random: Random) -> str:
    moment = datetime(1000, 1, 2, tzinfo=UTC) + timedelta(seconds=random.randrange(0, 283_000_000_000))
    offset = random.choice(["Z", "+00:00", "-05", "+0545", "+13:45", "-11:30", ""])
    return moment.strftime("%Y-%m-%dT%H:%M:%S").zfill(19) + random.choice(["", ".5", ".000001"]) + offset


def _read_moment(text: str) -> Any:
    form = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)"
    if not re.fullmatch(form, text, re.A) or re.search(r"[+-](2[4-9]|[3-9]\d)(:?\d\d)?$", text):
        return BAD
    try:
        read = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return BAD
    return read if read.year >= 1000 else BAD


def _locals(random: Random, n: int) -> tuple[str, dict[str, Any], str, Any]:
    """Wall-clock times around the moments when clocks are changed, in zones that change them in odd ways."""
    zone, fold = random.choice(ZONES), ("refuse", "earlier", "later")[n % 3]
    days = (datetime(2013, 3, 10), datetime(2013, 11, 3), datetime(2013, 3, 31), datetime(2013, 10, 27), datetime(2013, 10, 6),
            datetime(2013, 4, 7), datetime(2011, 12, 30), datetime(1972, 1, 7))  # fmt: skip
    local = random.choice(days) + timedelta(minutes=random.randrange(-60, 300, 5))
    moments = {local.replace(tzinfo=ZoneInfo(zone), fold=f).astimezone(UTC) for f in (0, 1)}
    real = sorted(m for m in moments if m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local)
    declared = {"type": "timestamp", "timezone": zone, "fold": fold}
    text = local.isoformat(sep=random.choice(" T"))
    if len(real) == 1:
        return f"zone {zone}", declared, text, real[0]
    chosen = {"earlier": 0, "later": -1}.get(fold)
    return f"fold {zone}", declared, text, real[chosen] if real and chosen is not None else BAD


def _texts(random: Random, n: int) -> tuple[str, dict[str, Any], str, Any]:
    alphabet = "ab,\"'\n\r\t ;|=\\/é漢😀\u200d\u2028\x01\x1b\x85"
    made = "".join(random.choice(alphabet) for _ in range(random.randrange(1, 40)))
    text = HOSTILE[n // 2 % len(HOSTILE)] if n % 2 else made
    return "text", {"type": "string"}, text, text
