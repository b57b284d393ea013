"""Data docs: what was expected of a delivery and what was found, as one page that stands alone.

A page shows values that strangers sent. They are cut and escaped before Great Expectations sees them, because it
writes some into the page as they are; scripts, styles and pictures from elsewhere are taken out and forbidden.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.contract.engine import Finding

if TYPE_CHECKING:
    from pandas import DataFrame

_SHOWN = 10
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


@dataclass(frozen=True)
class Section:
    """Findings over one frame, and the rows of it that belong to the delivery.

    :param begin: Its first row.
    :param end: The row after its last.
    """

    findings: Sequence[Finding]
    frame: "DataFrame"
    begin: int
    end: int


def within(finding: Finding, section: Section) -> NDArray[np.int64]:
    """Places of the finding that lie in the section."""
    return _between(finding.places, section)


def _between(places: NDArray[np.int64], section: Section) -> NDArray[np.int64]:
    first, last = np.searchsorted(places, [section.begin, section.end])
    return places[first:last]


def pages(
    name: str, deliveries: Mapping[str, Sequence[Section]], notes: Mapping[str, Sequence[str]]
) -> dict[str, bytes]:
    """Render what each delivery's sections found, as HTML in UTF-8.

    Pages without findings differ in their titles and notes only, so they are rendered once.

    :param notes: What stands above the findings, line by line.
    """
    clean: dict[bool, bytes] = {}
    rendered = {}
    for delivery, sections in deliveries.items():
        results = [_result(finding, section) for section in sections for finding in section.findings]
        empty = any(section.begin == section.end for section in sections)
        if any(result["result"]["unexpected_count"] for result in results):
            page = _render(results)
        else:
            page = clean[empty] = clean.get(empty) or _render(results)
        note = "".join(f"<p>{html.escape(line)}</p>" for line in notes[delivery])
        rendered[delivery] = page.replace(_TITLE, html.escape(f"{name}, {delivery}").encode()).replace(
            _NOTE, note.encode(), 1
        )
    return rendered


def _result(finding: Finding, section: Section) -> dict[str, Any]:
    """The finding as if the delivery had been validated alone."""
    own = _between(finding.seen if len(finding.seen) else finding.places, section)
    rows, bad = section.end - section.begin, len(own)
    shown = _shown(finding, section, own[:_SHOWN]) if bad else []
    found = {
        "element_count": rows,
        "unexpected_count": bad,
        "unexpected_percent": 100 * bad / rows if rows else None,
        "partial_unexpected_list": shown,
    }
    return {"success": not len(within(finding, section)), "expectation_config": finding.config, "result": found}


def _shown(finding: Finding, section: Section, places: NDArray[np.int64]) -> list[str]:
    values = section.frame[list(finding.shown)].iloc[places]
    return [html.escape(", ".join(str(cell)[:80] for cell in row)) for row in values.itertuples(index=False)]


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
