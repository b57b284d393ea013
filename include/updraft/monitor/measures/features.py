"""How far each feature moved from what the champion was trained on, and how much of the champion that concerns."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.monitor.distance import Mass, jensen_shannon, jensen_shannon_limit, standardised_limit, wasserstein
from updraft.monitor.drift import Status, stability
from updraft.monitor.histogram import SMALLEST_LEVEL, Histogram
from updraft.monitor.looks import Look, judged, scaled
from updraft.monitor.measures.feed import broken
from updraft.monitor.noise import FEWEST_RUNS, Noise, distance, noise
from updraft.monitor.reference import Profile, Seen
from updraft.monitor.season import alike, named
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window

if TYPE_CHECKING:
    pass

Counts = NDArray[np.int64]


def measure(window: Window) -> list[Measurement]:
    """Drift of every feature, its missing values and its categories, and how much of the champion it concerns."""
    frame = window.features
    keys = sorted(frame["partition"].astype(str).unique()) if "partition" in frame else []
    sides = {name: _side(window, name, reference, keys) for name, reference in window.profile.features.items()}
    unknown = {name: why for name, why in sides.items() if isinstance(why, str)}
    looks = [look for side in sides.values() if isinstance(side, Side) for look in _looks(side)]
    rows = len(window.features)
    found = [
        *judged(window.partition, looks),
        *(
            Measurement(window.partition, "feature_psi", name, math.nan, rows, "unknown", w)
            for name, w in unknown.items()
        ),
    ]
    moved = {m.subject for m in found if m.metric in ("feature_psi", "feature_distance") and m.status == "drifted"}
    whole = _drifted_share(window, moved, unknown)
    faulty = dict.fromkeys(sorted(broken(window)), "its feed looks broken")
    return [*found, whole, _important(window, moved - {*faulty}, unknown | faulty, found)]


@dataclass(frozen=True)
class Side:
    """One feature, before and now.

    :param cells: Its cells, and what the whole reference has in them.
    :param before: Rows of the comparable part of the reference, per cell.
    :param parts: The same by partition.
    :param width: Partitions of the window.
    :param remark: What it was compared with, and what is not known about that.
    """

    window: Window
    name: str
    cells: Histogram
    seen: Seen
    before: Counts
    now: Counts
    parts: Counts
    width: int
    remark: str

    @property
    def noise(self) -> Noise:
        """How far the window would lie from the reference by chance."""
        return noise(self.before, self.now, self.parts, self.width)


def _side(window: Window, name: str, cells: Histogram, keys: Sequence[str]) -> Side | str:
    """A feature's two sides, or why they cannot be compared."""
    case, frame = window.case, window.features
    if name not in case.features or name not in frame:
        return "the champion learnt from this feature, but the use case has it no more"
    if (kind := case.features[name].type) != cells.kind:
        return f"was a {cells.kind} when the champion learnt, is a {kind} now"
    parts, before, remark = _comparable(window, name, cells, keys)
    now = cells.count(frame[name].to_numpy())
    if why := _unknown(window, before, now, parts):
        return why
    seen = window.profile.seen.get(name, Seen())
    return Side(window, name, cells, seen, before, now, parts, max(len(keys), 1), remark)


def _comparable(window: Window, name: str, cells: Histogram, keys: Sequence[str]) -> tuple[Counts, Counts, str]:
    parts, case, whole = window.profile.part(name), window.case, np.asarray(cells.counts)
    if case.monitor.season != "none":
        parts = parts[alike(case, window.profile.partitions, keys)] if len(parts) else parts
        return parts, parts.sum(axis=0), named(case, len(parts))
    return parts, whole, "" if len(parts) else "; as if rows were independent: the reference keeps no partitions"


def _unknown(window: Window, before: Counts, now: Counts, parts: Counts) -> str:
    n, m, limits = int(before.sum()), int(now.sum()), window.case.monitor
    if m and m < limits.min_rows:
        return f"{m} rows in the window, {limits.min_rows} are needed"
    if (limits.season != "none" or window.profile.partitions) and len(parts) < FEWEST_RUNS:
        alike = named(window.case, len(parts)).removeprefix(", against ") or f"{len(parts)} partitions"
        return f"the reference has {alike} to compare with, {FEWEST_RUNS} are needed"
    if not n or not m:
        return f"the {'window' if n else 'reference'} has no rows"
    if np.count_nonzero(before) < 2:
        return "all rows of the reference are in one cell, so nothing can be said to move"
    return ""


def _looks(side: Side) -> Iterator[Look]:
    law, apart = side.noise, distance(side.before, side.now)
    how: dict[str, Any] = {"chance": law.chance(apart), "n": int(side.now.sum()), "remark": side.remark}
    index, effect = stability(side.before, side.now), side.window.case.monitor.psi

    def critical(value: float, power: float) -> Any:
        unit = scaled(value, apart, power)
        return lambda alpha: unit(law.critical(alpha))

    yield Look("feature_psi", side.name, index, effect, critical=critical(index, 1.0), name="PSI", **how)
    value, limit, name = _distance(side, effect)
    if not math.isnan(value):
        yield Look("feature_distance", side.name, value, limit, critical=critical(value, 0.5), name=name, **how)
    yield _missing(side)
    if side.seen.levels is not None:
        yield _new_categories(side, law)


def _distance(side: Side, psi: float) -> tuple[float, float, str]:
    """Distance of the values that are there, its effect size, and its name."""
    if side.cells.kind == "category":
        return jensen_shannon(side.before, side.now), jensen_shannon_limit(psi), "Jensen-Shannon distance"
    name = "Wasserstein distance in standard deviations"
    if not side.seen.sums or not side.seen.spread:
        return math.nan, math.nan, name
    whole = np.asarray(side.cells.counts[:-1], dtype=float)
    means = np.asarray(side.seen.sums) / np.maximum(whole, 1)
    before = Mass(side.before[:-1].astype(float), means * side.before[:-1])
    moved = wasserstein(side.cells, before, Mass.of(side.cells, side.window.features[side.name]))
    return float(moved) / side.seen.spread, standardised_limit(psi), name


def _missing(side: Side) -> Look:
    """Whether more values are missing than before; that there are fewer is no fault."""
    n, gone, now = int(side.before.sum()), int(side.before[-1]), side.now
    # A share too small for a cell of its own counts as that of the smallest: one missing value must not be news.
    least = max(gone, math.ceil(SMALLEST_LEVEL * n))
    before, after = np.array([n - least, least]), np.array([now[:-1].sum(), now[-1]])
    parts = np.column_stack([side.parts[:, :-1].sum(axis=1), side.parts[:, -1]])
    law, apart, index = noise(before, after, parts, side.width), distance(before, after), stability(before, after)
    rose = after[1] * n > least * after.sum()
    unit = scaled(index, apart)
    return Look(
        "missing_psi",
        side.name,
        index if rose else 0.0,
        side.window.case.monitor.psi,
        law.chance(apart) if rose else 1.0,
        lambda alpha: unit(law.critical(alpha)),
        int(after.sum()),
        f"{gone / n:.1%} -> {after[1] / after.sum():.1%} missing; PSI",
        side.remark,
    )


def _new_categories(side: Side, law: Noise) -> Look:
    """Whether more rows have a category that the reference lacks than the spec allows on top of what is usual."""
    from scipy.special import bdtrc

    levels = set(side.seen.levels or ())
    times = side.window.features[side.name].value_counts()
    new, rows = sum(int(count) for level, count in times.items() if str(level) not in levels), int(times.sum())
    allowed = min(side.window.case.skew.unseen + (side.seen.fresh or 0.0), 1.0)
    # Dependent rows tell as much as fewer independent ones.
    told = max(int(rows / law.design_effect), 1)
    seen = new / rows if rows else 0.0
    chance = float(bdtrc(math.ceil(seen * told) - 1, told, allowed)) if new else 1.0
    return Look(
        "new_categories",
        side.name,
        seen,
        allowed,
        chance,
        lambda alpha: _most(alpha, told, allowed) / told,
        rows,
        "share of rows with a category never trained on",
    )


def _most(alpha: float, among: int, share: float) -> int:
    """Fewest rows that more than which are seen with chance `alpha` at most, of rows with a share (binomial)."""
    from scipy.special import bdtr, bdtrik

    least = max(math.ceil(bdtrik(1 - alpha, among, share)), 0)
    return least - 1 if least and bdtr(least - 1, among, share) >= 1 - alpha else least


def _drifted_share(window: Window, moved: set[str], unknown: Mapping[str, str]) -> Measurement:
    known = len(window.profile.features) - len(unknown)
    where = (window.partition, "drifted_share", "features")
    if not known:
        return Measurement(*where, math.nan, 0, "unknown", _nothing(unknown))
    return Measurement(*where, len(moved) / known, known, "info", f"{len(moved)} of {known} features drifted")


def _important(
    window: Window, moved: set[str], unknown: Mapping[str, str], found: Sequence[Measurement]
) -> Measurement:
    """Share of what the champion says that rests on features that drifted: a feature it hardly uses cannot harm it."""
    limit, where = window.case.monitor.drifted_share, (window.partition, "important_drift", "features")
    known = len(window.profile.features) - len(unknown)
    if not known:
        return Measurement(*where, math.nan, 0, "unknown", _nothing(unknown), limit=limit)
    weights = weighed(window.profile)
    share = sum(weights[name] for name in moved)
    told = {m.subject: m for m in found if m.status == "drifted" and m.metric in ("feature_distance", "feature_psi")}
    named = first_ten(
        f"{name} ({weights[name]:.0%} of importance, {told[name].metric.removeprefix('feature_')} "
        f"{told[name].value:.2f}, limit {told[name].limit:.2f})"
        for name in sorted(moved, key=lambda name: (-weights[name], name))
    )
    blind = f", {len(unknown)} unknown ({first_ten(f'{k}: {v}' for k, v in unknown.items())})" if unknown else ""
    basis = "" if window.profile.importance else "; every feature counts the same: the reference says no importance"
    reason = f"{share:.0%} of the importance lies on {len(moved)} of {known} features that drifted{blind}{basis}"
    status: Status = "drifted" if moved and share >= limit else "ok"
    return Measurement(*where, share, known, status, f"{reason}{': ' if moved else ''}{named}", limit=limit)


def weighed(profile: Profile) -> dict[str, float]:
    """Importance of each feature of the reference; the same for all where it is not known."""
    if profile.importance:
        return {name: profile.importance.get(name, 0.0) for name in profile.features}
    return dict.fromkeys(profile.features, 1 / max(len(profile.features), 1))


def _nothing(unknown: Mapping[str, str]) -> str:
    return f"no feature could be judged: {next(iter(unknown.values()))}" if unknown else "the champion has no features"


def first_ten(named: Iterable[str]) -> str:
    """Name the first ten, and how many more there are."""
    every = list(named)
    return ", ".join(every[:10]) + (f" and {len(every) - 10} more" if len(every) > 10 else "")
