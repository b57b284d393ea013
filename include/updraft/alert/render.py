"""An alert as its reader's program wants it: text, HTML, blocks of a chat, JSON.

What comes from data stays text everywhere: it is escaped in HTML, and stands in blocks that know no markup in a chat.
"""

import base64
import re
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from updraft.alert.alert import Alert, Event, line
from updraft.alert.chart import bars, png

_AGAIN = "The same id again is the same message."
_LEADS: dict[Event, tuple[str, str]] = {
    "opened": ("What to do", "Type first"),
    "resolved": ("Nothing more to do; what it means", "To look"),
}
_SINCE: dict[Event, str] = {"opened": "found", "resolved": "over"}
_CELL = 'style="padding:2px 12px 2px 0;vertical-align:top"'
_COLOURS = {"info": "#2b6cb0", "warning": "#b7791f", "critical": "#c53030"}


def subject(told: Alert) -> str:
    """One line that says it all; at most 100 characters, as SNS wants it."""
    state = "resolved" if told.event == "resolved" else told.severity
    return line(f"[{state}] {told.use_case}: {told.title}" + (f" ({told.partition})" if told.partition else ""), 100)


def text(told: Alert) -> str:
    """Plain text."""
    rows = [f"  {name}: {said}" for name, said in _rows(told)]
    drawn = [f"  {_alt(told)}"] if told.series else []
    return "\n".join([subject(told), "", _what(told), "", *rows, *drawn, "", *_steps(told), "", _AGAIN, ""])


def html(told: Alert, chart: str | None = None) -> str:
    """A page for an e-mail.

    :param chart: Where the picture is, if there is one.
    """
    colour = "#2f855a" if told.event == "resolved" else _COLOURS[told.severity]
    rows = "".join(f"<tr><th {_CELL} align=left>{escape(n)}</th><td>{escape(s)}</td></tr>" for n, s in _rows(told))
    picture = f'<p><img src="{escape(chart)}" alt="{escape(_alt(told))}" width="640"></p>' if chart else ""
    where, (do, type_) = escape(told.runbook), _LEADS[told.event]
    read = f'<a href="{where}">{where}</a>' if _on_the_web(told) else where
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><body style="font:14px sans-serif;max-width:680px">'
        f'<h2 style="color:{colour}">{escape(subject(told))}</h2>'
        f'<p style="white-space:pre-line">{escape(_what(told))}</p>'
        f"<p><b>{do}</b>: {read}</p><p><b>{type_}</b>: <code>{escape(told.command)}</code></p>{picture}"
        f'<table>{rows}</table><p style="color:#718096">{escape(_AGAIN)}</p></body></html>'
    )


def slack(told: Alert) -> dict[str, Any]:
    """A message for Slack and for what understands the same, with or without its blocks."""
    shown = "\n".join(f"{name}: {said}" for name, said in _rows(told))
    if told.series:
        shown += f"\n{_alt(told)}"
    steps = "\n".join(_steps(told))
    parts = [_plain(part, 3000) for part in (_what(told), steps, shown)]
    if _on_the_web(told):  # plain text knows no link, and this one is ours
        where = quote(told.runbook, safe=":/?&=#%").replace("&", "&amp;")
        parts.insert(2, {"type": "mrkdwn", "text": f"<{where}|Open the runbook>"})
    return {
        "text": f"```{_calm(subject(told))}\n{_calm(_what(told))}\n{_calm(steps)}```",
        "blocks": [
            {"type": "header", "text": _plain(subject(told), 150)},
            *({"type": "section", "text": part} for part in parts),
        ],
    }


def document(told: Alert) -> dict[str, Any]:
    """All of it, for programs; the chart is a PNG in base64."""
    drawn = base64.b64encode(png(told.series)).decode() if told.series else None
    return {"version": 1, "message_id": told.message_id, "subject": subject(told), **asdict(told), "chart_png": drawn}


def _rows(told: Alert) -> list[tuple[str, str]]:
    at = f"{datetime.fromisoformat(told.at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    since = {"partition": told.partition or "", "severity": told.severity, _SINCE[told.event]: at}
    rows = [*since.items(), *told.facts, ("owner", f"{told.owner}, {told.email}"), ("id", told.message_id)]
    return [(name, said) for name, said in rows if said]


def _on_the_web(told: Alert) -> bool:
    return told.runbook.startswith(("https://", "http://"))


def _alt(told: Alert) -> str:
    if not told.series:
        return ""
    keys = [key for key, _ in told.series.values]
    span = f", {keys[0]} to {keys[-1]}" if keys else ""
    return f"{told.series.metric} of {told.series.subject}{span}: {bars(told.series)}"


def _what(told: Alert) -> str:
    """What happened; of several things each on a line of its own."""
    return re.sub(r"; (?![^()]*\))", "\n", told.what)


def _steps(told: Alert) -> list[str]:
    return [f"{lead}: {said}" for lead, said in zip(_LEADS[told.event], (told.runbook, told.command), strict=True)]


def _plain(said: str, most: int) -> dict[str, Any]:
    # `plain_text` knows no markup; what is at all like a mention is broken for chats that look at it all the same.
    return {"type": "plain_text", "text": _unmentioned(said)[:most], "emoji": False}


def _calm(said: str) -> str:
    """Text within a block of code that cannot end it, and that mentions nobody."""
    known = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}
    return _unmentioned("".join(known.get(sign, sign) for sign in said))


def _unmentioned(said: str) -> str:
    return said.replace("@", "@\u200b").replace("<!", "<\u200b!")
