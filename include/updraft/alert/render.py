"""An alert as its reader's program wants it: text, HTML, blocks of a chat, JSON.

What comes from data stays text everywhere: it is escaped in HTML, and stands in blocks that know no markup in a chat.
"""

import base64
from dataclasses import asdict
from html import escape
from typing import Any

from updraft.alert.alert import Alert, line
from updraft.alert.chart import bars, png

_AGAIN = "Sent at least once; drop what carries an id you know."
_CELL = 'style="padding:2px 12px 2px 0;vertical-align:top"'
_COLOURS = {"info": "#2b6cb0", "warning": "#b7791f", "critical": "#c53030"}


def subject(told: Alert) -> str:
    """One line that says it all; at most 100 characters, as SNS wants it."""
    state = "resolved" if told.event == "resolved" else told.severity
    return line(f"[{state}] {told.use_case}: {told.title}" + (f" ({told.partition})" if told.partition else ""), 100)


def text(told: Alert) -> str:
    """Plain text."""
    rows = [f"  {name}: {said}" for name, said in _rows(told)]
    drawn = [f"  {told.series.metric} of {told.series.subject}: {bars(told.series)}"] if told.series else []
    steps = [f"What to do: {told.runbook}", f"Type first: {told.command}"]
    return "\n".join([subject(told), "", told.what, "", *rows, *drawn, "", *steps, "", _AGAIN, ""])


def html(told: Alert, chart: str | None = None) -> str:
    """A page for an e-mail.

    :param chart: Where the picture is, if there is one.
    """
    colour = "#2f855a" if told.event == "resolved" else _COLOURS[told.severity]
    rows = "".join(f"<tr><th {_CELL} align=left>{escape(n)}</th><td>{escape(s)}</td></tr>" for n, s in _rows(told))
    picture = f'<p><img src="{escape(chart)}" alt="{escape(_alt(told))}" width="640"></p>' if chart else ""
    where = escape(told.runbook)
    read = f'<a href="{where}">{where}</a>' if told.runbook.startswith(("https://", "http://")) else where
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><body style="font:14px sans-serif;max-width:680px">'
        f'<h2 style="color:{colour}">{escape(subject(told))}</h2><p>{escape(told.what)}</p>{picture}'
        f"<table>{rows}</table><p>What to do: {read}</p><p>Type first: <code>{escape(told.command)}</code></p>"
        f'<p style="color:#718096">{escape(_AGAIN)}</p></body></html>'
    )


def slack(told: Alert) -> dict[str, Any]:
    """A message for Slack and for what understands the same, with or without its blocks."""
    shown = "\n".join(f"{name}: {said}" for name, said in _rows(told))
    if told.series:
        shown += f"\n{told.series.metric} of {told.series.subject}: {bars(told.series)}"
    steps = f"What to do: {told.runbook}\nType first: {told.command}"
    parts = (told.what, shown, steps)
    return {
        "text": f"```{_calm(subject(told))}\n{_calm(told.what)}\n{_calm(steps)}```",
        "blocks": [
            {"type": "header", "text": _plain(subject(told), 150)},
            *({"type": "section", "text": _plain(part, 3000)} for part in parts),
        ],
    }


def document(told: Alert) -> dict[str, Any]:
    """All of it, for programs; the chart is a PNG in base64."""
    drawn = base64.b64encode(png(told.series)).decode() if told.series else None
    return {"version": 1, "message_id": told.message_id, "subject": subject(told), **asdict(told), "chart_png": drawn}


def _rows(told: Alert) -> list[tuple[str, str]]:
    since = {"partition": told.partition or "", "severity": told.severity, "at": told.at}
    rows = [*since.items(), *told.facts, ("owner", f"{told.owner}, {told.email}"), ("id", told.message_id)]
    return [(name, said) for name, said in rows if said]


def _alt(told: Alert) -> str:
    return f"{told.series.metric} of {told.series.subject}: {bars(told.series)}" if told.series else ""


def _plain(said: str, most: int) -> dict[str, Any]:
    # `plain_text` knows no markup; what is at all like a mention is broken for chats that look at it all the same.
    return {"type": "plain_text", "text": _unmentioned(said)[:most], "emoji": False}


def _calm(said: str) -> str:
    """Text within a block of code that cannot end it, and that mentions nobody."""
    known = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}
    return _unmentioned("".join(known.get(sign, sign) for sign in said))


def _unmentioned(said: str) -> str:
    return said.replace("@", "@\u200b").replace("<!", "<\u200b!")
