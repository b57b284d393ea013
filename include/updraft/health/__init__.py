"""The monitoring report: how a use case has been doing, on a page that fetches nothing.

::

    span      a partition with those before it, or a month
    facts     measurements, incidents and decisions of a span, as plain values
    charts    a picture per question: how well, how sure, what moved
    render    the page
"""

from updraft.health.facts import facts
from updraft.health.render import page
from updraft.health.span import Span, span

__all__ = ["Span", "facts", "page", "span"]
