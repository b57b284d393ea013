"""What one look at a partition has before it: rows, the champion, and what was seen before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from updraft.evidence.interval import Interval
from updraft.model.model import Model
from updraft.monitor.arrival import Arrivals
from updraft.monitor.reference import Profile
from updraft.monitor.supply import Supplied
from updraft.monitor.table import Measurement
from updraft.operation import Spent
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Window:
    """The newest partitions up to one, pooled; measures read it and nothing else.

    :param partition: Key of the partition that is looked at, the newest of the window.
    :param champion: Digest of the model that is watched.
    :param profile: What the champion's training and held-out rows looked like.
    :param features: Feature frame of the last `monitor.window` scored partitions.
    :param scores: The champion's rows of the scores table, of the same partitions.
    :param matured: The champion's rows of the scores table of the last `monitor.window` mature partitions, with the
        features and the label column.
    :param waiting: Mature partitions whose labels have not arrived, each with the reason.
    :param holdout: The champion's AUC on its holdout, or what is watched in its place, with its bounds.
    :param model: The champion itself, where it is at hand; measures that need it say nothing without it.
    :param examined: What the gates said about the champion, whole; empty where nobody asked.
    :param spent: What the tasks took that brought the partition here.
    :param reference_rows: Some feature rows of the champion's own windows, in runs as long as this window; `None` where
        they are not at hand.
    :param earlier: Measurements of partitions before this one, oldest first.
    :param supply: What the sources delivered for the partitions of `features`; empty where nobody asked.
    :param known: Rows like those of `matured`, of the newest partitions that have labels: what the champion said, or
        would have said, of rows that it did not learn from. Where nobody collected them, those of `matured`.
    :param labels: Share of rows with a label, by mature partition of the last `monitor.window`, whoever scored them.
    :param arrivals: Cohorts, and when their labels were there.
    :param memo: What one measure found and another builds upon, by name.
    """

    case: UseCase
    partition: str
    champion: str
    profile: Profile
    features: "DataFrame"
    scores: "DataFrame"
    matured: "DataFrame"
    waiting: Mapping[str, str]
    holdout: Interval
    model: Model | None = None
    examined: Mapping[str, Any] = field(default_factory=dict)
    spent: Sequence[Spent] = ()
    reference_rows: "DataFrame | None" = None
    earlier: Sequence[Measurement] = ()
    supply: Sequence[Supplied] = ()
    known: "DataFrame | None" = None
    labels: Mapping[str, float] | None = None
    arrivals: Arrivals | None = None
    memo: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
