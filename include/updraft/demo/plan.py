"""What happens when in the demo."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Spans of partitions, first and last key each.

    :param history: Delivered in bulk before there is a model; up to the partition the first training stands at.
    :param first_training: Partition at whose moment the first champion is trained.
    :param catch_up: Delivered in bulk after it; nobody asked for scores then.
    :param daily: Replayed one partition at a time.
    :param renamed: Partition among these whose schedule arrives with a column renamed first.
    :param corrected: Partition among these whose outcomes are corrected once it was watched.
    :param corrupt: Partition among these whose outcomes arrive broken first.
    """

    history: tuple[str, str] = ("2013-01-01", "2013-04-01")
    first_training: str = "2013-04-01"
    catch_up: tuple[str, str] = ("2013-04-02", "2013-06-10")
    daily: tuple[str, str] = ("2013-06-11", "2013-07-08")
    renamed: str = "2013-06-14"
    corrupt: str = "2013-06-20"
    corrected: str = "2013-06-25"


FULL = Plan()
SHORT = Plan(
    catch_up=("2013-04-02", "2013-04-02"),
    daily=("2013-04-03", "2013-04-05"),
    renamed="2013-04-05",
    corrupt="2013-04-04",
    corrected="2013-04-03",
)
