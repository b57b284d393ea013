"""Is a candidate good enough? Arrays of held-out outcomes and predictions in, verdicts with numbers and reasons out.

- `evidence`: what the gates may look at: the held-out rows as each model scored them
- `examination`: every gate on one candidate, and what came of it
- `gates/`: one demand per module, found by discovery
- `leaks/`, `look`: one kind of leak per module, found by discovery, and what a search for one goes by
- `hindsight`: whether feature rows hold what became known only after their moment
- `recalibration`: by how much log-odds would have to be stretched and shifted to come true
- `judgement`: is a difference real, is a loss within the margin, could it have been seen at all
- `slices`, `weakness`: which rows are in a declared slice; where a search finds a candidate weak
- `holm`: bounds of many differences at once
- `fairness`: how far apart groups are in how often they are acted on
- `paired`, `interval`: a difference between two models, and one model's metric, each with its bounds
- `sampling`: how far chance alone moves a metric, when whole partitions come and go
- `metrics/`, `metric`: one metric per module, found by discovery, and what a metric is
- `verdict`: PASS, FAIL or INSUFFICIENT, with the reason

Nothing here reads the lake or knows how models are made.
"""

from updraft.evidence.evidence import Evidence
from updraft.evidence.examination import Examination, examine
from updraft.evidence.verdict import Outcome, Verdict, overall

__all__ = ["Evidence", "Examination", "Outcome", "Verdict", "examine", "overall"]
