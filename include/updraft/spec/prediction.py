"""What is predicted, what for, and what came true: the parts of a spec that depend on the kind of problem."""

from typing import Literal, Self

from pydantic import Field, model_validator

from updraft.spec.base import Part
from updraft.spec.durations import Duration
from updraft.spec.names import Name

ProblemKind = Literal["binary", "multiclass", "regression"]


class Value(Part):
    """What each outcome of a decision is worth, in any one unit."""

    true_positive: float = Field(description="Acted, and it came true.")
    false_positive: float = Field(description="Acted, and it did not.")
    false_negative: float = Field(description="Did not act, and it came true.")
    true_negative: float = Field(default=0.0, description="Did not act, and it did not come true.")

    @model_validator(mode="after")
    def _acting_can_pay(self) -> Self:
        if self.true_positive <= self.false_negative or self.true_negative <= self.false_positive:
            raise ValueError("acting must be worth more than not acting when it comes true, and less when it does not")
        return self

    @property
    def threshold(self) -> float:
        """Probability from which acting has the higher expected value (Elkan, IJCAI 2001, eq. 2).

        >>> Value(true_positive=3, false_positive=-1, false_negative=0).threshold
        0.25
        """
        cost, gain = self.true_negative - self.false_positive, self.true_positive - self.false_negative
        return cost / (cost + gain)


class Cost(Part):
    """What a wrong number costs, and from which number on something is done."""

    over: float = Field(gt=0, description="Cost of each unit predicted too much.")
    under: float = Field(gt=0, description="Cost of each unit predicted too little.")
    act_from: float = Field(description="Prediction from which the decision is to act.")


class Problem(Part):
    """What is predicted, how early, and what for."""

    goal: str = Field(min_length=10, description="One sentence a stakeholder would sign.")
    kind: ProblemKind = Field(
        default="binary", description="What is predicted: yes or no, one of several classes, or a number."
    )
    lead_time: Duration = Field(description="How long before the partition's interval the prediction must exist.")
    decision: str = Field(min_length=3, description="What is done about a row whose score passes the threshold.")
    value: Value | None = Field(
        default=None, description="Value per outcome; the decision threshold follows from it. Not for regression."
    )
    act_on: tuple[str, ...] = Field(
        default=(),
        description="Multiclass: the classes that are acted on; that one of them is true is what comes true.",
    )
    cost: Cost | None = Field(default=None, description="Regression: what a wrong number costs, and when to act.")

    @property
    def threshold(self) -> float:
        """Score from which to act: a probability, or for regression the predicted number."""
        if self.cost is not None:
            return self.cost.act_from
        if self.value is None:
            raise ValueError("a problem that is checked says `value` or `cost`")
        return self.value.threshold


class Label(Part):
    """What came true: the column `label.sql` returns, and when it can be trusted."""

    column: Name = Field(
        description="The column of `label.sql` that holds 0 or 1, a class, or a number; null where it is undefined."
    )
    classes: tuple[str, ...] = Field(
        default=(), max_length=100, description="Multiclass: every class there is, in the order of the probabilities."
    )
    maturity: Duration = Field(description="How long after the partition's end its labels are complete.")
