"""What can go wrong, sorted by what the reader should do about it.

`Permanent` fails at once, because trying again would end the same way. `Transient` is worth another try.
Every message says what was found and, after ``Next:``, what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class UpdraftError(Exception):
    """Base of every error Updraft raises on purpose.

    :param what: What was found, and what was expected instead.
    :param next_step: What the reader should do now.
    """

    def __init__(self, what: str, *, next_step: str) -> None:
        super().__init__(what, next_step)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} Next: {self.next_step}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process boundaries by type and arguments; keyword-only arguments would be lost.
        return _rebuild, (type(self), self.what, self.next_step)


def _rebuild(kind: type[UpdraftError], what: str, next_step: str) -> UpdraftError:
    return kind(what, next_step=next_step)


class Permanent(UpdraftError):  # noqa: N818 - it says what to do, not that it is an error
    """The same attempt would fail again: a person, or new data, must change something first."""


class Transient(UpdraftError):  # noqa: N818
    """The world may be different in a moment: another attempt is worth it."""


class SpecInvalid(Permanent):
    """A use case's folder does not say what Updraft can run."""


class SettingInvalid(Permanent):
    """A setting of this installation says what cannot be done."""


class NameInvalid(Permanent):
    """A name that could become a path, SQL or a shell word."""


class PartitionInvalid(Permanent):
    """A partition key that does not belong to the use case's calendar."""


class DeliveryMissing(Transient):
    """A source has not handed over the delivery of a partition yet."""


class Unchanged(Transient):
    """A source says that it has nothing but what was fetched before."""


class SourceUnavailable(Transient):
    """The system behind a source did not answer, or answered with a fault that may pass."""


class SourceClosed(Permanent):
    """The system behind a source does not let us in, or its connection is not known."""


class DeliveryRefused(Permanent):
    """A delivery cannot be read as the spec declares it; nothing of it was published."""


class DeliveryBlocked(Permanent):
    """A delivery was read, but more of its rows break the contract than the spec tolerates."""


class ValidationBroken(Permanent):
    """The validation itself could not be carried out: not validated is not valid."""


class FeaturesInvalid(Permanent):
    """`features.sql` or `label.sql` gave rows that do not fit what the spec declares."""


class FeaturesBlocked(Permanent):
    """Features were computed, but break the contract of the feature table; nothing of the partition was published."""


class FeaturesSkewed(Permanent):
    """Features at scoring are not of the kind the champion was trained on, and the spec says that this blocks."""


class TrainingRefused(Permanent):
    """There is not enough, or not the right kind of, mature data to train on."""


class TrainingStopped(Transient):
    """A training was ended before it was done: by its deadline, or by something that killed it."""


class ModelRejected(Permanent):
    """Model files that do not match their digests, or a model that does not reproduce its golden predictions."""


class PredictionMissing(Permanent):
    """There is no score of such an entity in a partition."""


class NoChampion(Permanent):
    """No model has been promoted for this use case, or none can be fallen back to."""


class LedgerBroken(Permanent):
    """The hash chain of the ledger does not hold."""


class DrillFailed(Permanent):
    """The monitor missed a fault that was put before it, or called one that was not there."""


class ReadOnly(Permanent):
    """Something would have been written to a lake that is only read."""


class LakeUnavailable(Transient):
    """The store behind the lake did not answer, or answered with a fault that may pass."""


class RegistryUnavailable(Transient):
    """MLflow did not answer, or refused; the ledger stands without it."""


class AlertUndelivered(Transient):
    """Somebody could not be told; the alert waits in the lake and is sent again."""


class WriteConflict(Transient):
    """Another writer committed first, again and again."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the nearest known word, or the first ten.

    >>> did_you_mean("lable", ["label", "model"])
    "did you mean 'label'?"
    >>> did_you_mean("zzz", ["model", "label"])
    'known: label, model'
    """
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names[:10])}"
