"""Did the monitor see a fault, the whole of it, and nothing else?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from updraft.drill.faults import Fault
from updraft.drill.signs import Look, Sign
from updraft.spec.model import UseCase

Outcome = Literal["passed", "failed", "unseen"]


@dataclass(frozen=True)
class Exercise:
    """What came of one fault.

    :param expected: Signs that had to stand there.
    :param fired: Alarms that did, and the fault of the feed, if one was reported.
    :param outcome: `unseen` when the monitor has nothing to judge it by: neither a pass nor a failure.
    """

    fault: str
    what: str
    expected: tuple[str, ...]
    fired: tuple[str, ...]
    outcome: Outcome
    why: str


def judge(case: UseCase, fault: Fault, look: Look, calm: Look) -> Exercise:
    """Hold what was seen of a broken copy against what had to be seen of it.

    :param calm: The same look at an untouched copy; what stands there already is no sign of the fault.
    """
    wrong, unseen = list(_surplus(fault, look, calm)), list[str]()
    # What has moved already can hide what is put on top of it.
    blurred = any(calm.state(sign, case)[0] == "fired" for sign in fault.must)
    for sign in (*fault.must, *fault.also):
        state, why = look.state(sign, case)
        if state in ("absent", "unknown") and sign in fault.also:
            continue
        if calm.state(sign, case)[0] == "fired":
            unseen.append(f"{sign}: it stands there without the fault too")
        elif state in ("unknown", "absent"):
            unseen.append(f"{sign} cannot be seen: {why}")
        elif state == "calm" and blurred:
            unseen.append(f"{sign} cannot be told apart from what stands there without the fault")
        elif state == "calm":
            wrong.append(f"{sign} was missed: {why}")
        elif sign.kind == "alarm" and sign.of != "label_outage" and look.watched.incident is None:
            wrong.append(f"{sign} lasts, and is no incident")
    if not unseen and fault.action and look.action != fault.action:
        wrong.append(f"the controller would {look.action} in place of {fault.action}")
    if fault.never and look.action == fault.never and calm.action != fault.never:
        wrong.append(f"the controller would {look.action}")
    outcome: Outcome = "failed" if wrong else "unseen" if unseen else "passed"
    expected = tuple(str(sign) for sign in (*fault.must, *fault.also))
    return Exercise(fault.name, fault.what, expected, fired(look), outcome, "; ".join([*wrong, *unseen]))


def untouched(calm: Look, live: Look | None) -> Exercise:
    """Hold the untouched copy against what the live monitor said of the same partition."""
    about = "untouched", "nothing is broken", ()
    if live is None:
        return Exercise(*about, fired(calm), "unseen", "the live monitor has not measured it, or another champion")
    surplus = [*_surplus(Fault(*about[:2]), calm, live)]
    return Exercise(*about, fired(calm), "failed" if surplus else "passed", "; ".join(surplus))


def fired(look: Look) -> tuple[str, ...]:
    """Alarms that stand there, and whether the feed is called broken."""
    return (*sorted(look.watched.alarms), *(["broken feed"] if look.feed_fault else []))


def _surplus(fault: Fault, look: Look, calm: Look) -> Iterator[str]:
    """Signs that stand there, and neither belong to the fault nor stood there before."""
    asked = {sign.of for sign in (*fault.must, *fault.also) if sign.kind == "alarm"}
    for kind, why in sorted(look.watched.alarms.items()):
        if kind not in asked | fault.may and kind not in calm.watched.alarms:
            yield f"{kind} fired as well: {why}"
    feed = any(sign.kind == "feed" for sign in (*fault.must, *fault.also))
    if look.feed_fault and not feed and not calm.feed_fault:
        yield f"a broken feed was reported as well: {look.feed_fault}"


__all__ = ["Exercise", "Outcome", "Sign", "fired", "judge", "untouched"]
