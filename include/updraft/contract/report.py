"""Data docs: what was expected of a delivery and what was found, as one page that stands alone.

A page shows values that strangers sent. They are cut and escaped before Great Expectations sees them, because it
writes some into the page as they are; scripts, styles and pictures from elsewhere are taken out and forbidden.
"""

import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from updraft.contract.tally import Tally

_TITLE = b"UPDRAFT-DELIVERY-TITLE"
_NOTE = b"UPDRAFT-DELIVERY-NOTE"
_BODY = re.compile(r"(<body\b[^>]*>)")
_FOREIGN = re.compile(r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<iframe\b.*?</iframe>", re.S)
_HEAD = (
    "<head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    "<style>body{font-family:sans-serif;margin:1em}td,th{border:1px solid #ccc;padding:.3em}table{border-collapse:"
    "collapse}.modal,#ge-cta-footer,footer,nav{display:none}.fa-check-circle::before{content:'\\2713'}"
    ".fa-times::before{content:'\\2717'}</style>"
)


def pages(name: str, deliveries: Mapping[str, Sequence[Tally]], notes: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
    """Render what was found of each delivery, as HTML in UTF-8.

    Pages without findings differ in their titles and notes only, so they are rendered once.

    :param notes: What stands above the findings, line by line.
    """
    clean: dict[bool, bytes] = {}
    rendered = {}
    for delivery, tallies in deliveries.items():
        results = [_result(tally) for tally in tallies]
        empty = any(tally.rows == 0 for tally in tallies)
        if any(result["result"]["unexpected_count"] for result in results):
            page = _render(results)
        else:
            page = clean[empty] = clean.get(empty) or _render(results)
        note = "".join(f"<p>{html.escape(line)}</p>" for line in notes[delivery])
        rendered[delivery] = page.replace(_TITLE, html.escape(f"{name}, {delivery}").encode()).replace(
            _NOTE, note.encode(), 1
        )
    return rendered


def _result(tally: Tally) -> dict[str, Any]:
    """The tally, as Great Expectations tells of a delivery that it validated alone."""
    found = {
        "element_count": tally.rows,
        "unexpected_count": tally.seen,
        "unexpected_percent": 100 * tally.seen / tally.rows if tally.rows else None,
        "partial_unexpected_list": [html.escape(value) for value in tally.sample],
    }
    return {"success": not tally.broken, "expectation_config": tally.finding.config, "result": found}


def _render(results: Sequence[dict[str, Any]]) -> bytes:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    done = [ExpectationValidationResult(**result, exception_info=_NO_ERROR) for result in results]
    passed = sum(bool(result["success"]) for result in results)
    whole = ExpectationSuiteValidationResult(
        success=passed == len(done),
        results=done,
        suite_name=_TITLE.decode(),
        statistics={
            "evaluated_expectations": len(done),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(done) - passed,
            "success_percent": 100 * passed / len(done),
        },
        meta={"great_expectations_version": _version()},
    )
    text = _view().render(ValidationResultsPageRenderer().render(whole))
    return _BODY.sub(rf"\1{_NOTE.decode()}", _FOREIGN.sub("", text).replace("<head>", _HEAD, 1), count=1).encode()


_NO_ERROR = {"raised_exception": False, "exception_traceback": None, "exception_message": None}


def _version() -> str:
    import great_expectations as gx

    return str(gx.__version__)


@cache
def _view() -> Any:
    """Compiling its templates takes longer than rendering a page."""
    from great_expectations.render.view.view import DefaultJinjaPageView

    return DefaultJinjaPageView()
