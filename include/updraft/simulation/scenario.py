"""What happens in a year, and whether a training could mend it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One kind of year. Days are partitions; what begins, begins on a day that the seed draws.

    :param says: What happens, for a reader of the table.
    :param useful: Whether a training after the change gives a better model; where not, every training is a false one.
    :param season: How far features go up and down with the year, in standard deviations; a fifth of it with the week.
    :param shift: How far features move, for good, while what they mean stays the same.
    :param turn: Days until features mean something else; 1 is from one day to the next, 0 is never.
    :param broken: Days that a feature comes in another unit, or mostly not at all (the seed says which).
    :param outage: Days without labels; these come all together afterwards.
    :param late_positives: Share of the rows that came true whose label comes up to two weeks after it should.
    """

    name: str
    says: str
    useful: bool = False
    season: float = 0.0
    shift: float = 0.0
    turn: int = 0
    broken: int = 0
    outage: int = 0
    late_positives: float = 0.0


SCENARIOS = {
    s.name: s
    for s in (
        Scenario("stationary", "nothing happens"),
        Scenario("seasonal", "features follow the year and the week", season=0.8),
        Scenario("covariate_shift", "features move for good, their meaning does not", shift=0.8),
        Scenario("gradual_drift", "features come to mean something else within 120 days", useful=True, turn=120),
        Scenario("abrupt_drift", "features mean something else from one day to the next", useful=True, turn=1),
        Scenario("broken_feed", "for 10 days a feature comes in another unit, or mostly not at all", broken=10),
        Scenario("label_outage", "for 30 days no labels come", outage=30),
        Scenario(
            "late_positives", "two in five rows that came true get their label up to two weeks late", late_positives=0.4
        ),
    )
}
