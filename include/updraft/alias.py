"""MLflow's alias follows the ledger: intent, alias, confirmation.

A record `promoted` or `rolled_back` is the intent, and decides alone what scores. Then the alias is moved, and a record
`confirmed` says that MLflow shows it. Killed between any two of these, the next attempt or `repair` goes on from what
the ledger says. An alias that stands elsewhere after it was confirmed was moved by hand: it is not used, it is put
back, and a record `repaired` says so.
"""

import logging
from typing import Any

from updraft.errors import RegistryUnavailable
from updraft.ledger import Ledger, State
from updraft.registry import Registry

_log = logging.getLogger(__name__)


class _Needless(Exception):  # noqa: N818 - no error: it leaves an append that is not needed
    """There is nothing to record any more."""


def follow(ledger: Ledger, registry: Registry, *, who: str) -> tuple[str | None, bool]:
    """Let the alias follow the ledger and confirm it; MLflow being down changes nothing of what was decided.

    :return: The champion there is now, and whether the alias stands there too.
    """
    state, reached, pointed = ledger.state(), True, None
    try:
        while state.champion is not None and state.champion != pointed:
            # Another decision may land while the alias is being moved.
            pointed, reached = state.champion, registry.point_champion(ledger.use_case, state.champion)
            state = ledger.state()
        if pointed and reached:
            _confirm(ledger, registry, pointed, who)
    except RegistryUnavailable as fault:
        _log.warning("the alias of %s is pending: %s", ledger.use_case, fault)
        reached = False
    return state.champion, reached


def repair(ledger: Ledger, registry: Registry, *, who: str) -> str | None:
    """Put an alias back that does not stand at the ledger's champion; say what was found and done, if anything was.

    :raises RegistryUnavailable: If MLflow did not answer.
    """
    state = ledger.state()
    found = registry.repair(ledger.use_case, state)
    if registry.champion_alias(ledger.use_case) != state.champion:
        return found
    if found is None or (state.champion is not None and not confirmed(state)):
        # Not moved by hand: an attempt was killed before it could confirm what it had decided.
        follow(ledger, registry, who=who)
        return found
    _record(ledger, "repaired", state.champion, who, found, {"head": state.head}, lambda now: now.head != state.head)
    follow(ledger, registry, who=who)
    return found


def confirmed(state: State) -> bool:
    """Whether MLflow has shown the present champion since it rose."""
    rises = [r.sequence for r in state.records if r.kind in ("promoted", "rolled_back")]
    return any(r.kind == "confirmed" and r.model == state.champion for r in state.records[max(rises, default=0) :])


def _confirm(ledger: Ledger, registry: Registry, champion: str, who: str) -> None:
    _record(
        ledger, "confirmed", champion, who, "MLflow's alias follows", {},
        lambda now: now.champion != champion or confirmed(now),
    )  # fmt: skip
    state = ledger.state()
    registry.witness(ledger.use_case, state.head, state.head_digest)


def _record(ledger: Ledger, kind: Any, model: str | None, who: str, why: str, facts: Any, needless: Any) -> None:
    def expect(state: State) -> None:
        if needless(state):
            raise _Needless

    try:
        ledger.append(kind, why=why, who=who, model=model, facts=facts, expect=expect)
    except _Needless:
        _log.info("%s of %s: recorded already, or outdated by now", kind, ledger.use_case)
