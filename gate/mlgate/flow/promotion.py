"""Promotion: a version that passed becomes the live one, and back. Whoever wins a place in the ledger moves the alias.

A registry moves an alias for anyone who asks, without looking. So each move first takes the next place in the ledger,
which only one can have; then the alias moves; then the move is confirmed. Whoever dies in between leaves a move that
is not confirmed, and the next one completes it.

What no registry without a conditional move can exclude: a mover stalls just before it moves the alias, for so long that
another one completes its move and makes the next. Then it moves the alias late, back to what it had won. It looks again
and puts that right at once; but who looks just between, or after it died just between, sees an alias that the ledger
does not explain, and takes it down as moved by hand. So it takes a stall over another's whole promotion, and a third
party or a death in one moment; what becomes live by it had won before, and the history shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mlgate.core.errors import AdapterError, ConfigError, GateError, Refused
from mlgate.core.ports import Registry
from mlgate.core.tracking.ledger import NO_VERSION, Ledger, Move
from mlgate.core.tracking.model_version import Candidate, Version

CANDIDATE = "candidate"
"""The alias of the version that was registered last, and may still wait for approval."""

CHAMPION = "champion"

MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class Promotion:
    """What became of a candidate."""

    version: Version
    alias: str
    move: Move | None = None
    """None: the alias was there already, or has no ledger."""
    completed: Move | None = None
    """A move that somebody else had begun and not ended."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person must have done before a version may become live."""

    tag: str
    """The version's tag that must not be empty, e.g. `approved_by`."""


class NotApproved(Refused):
    """The version waits for a person."""


def promote(
    registry: Registry,
    candidate: Candidate,
    *,
    alias: str,
    now: str,
    approval: Approval | None = None,
    against: str | None = None,
    again: bool = True,
    serves: Callable[[], None] = lambda: None,
) -> Promotion:
    """Register the candidate, point `candidate` to it and, once it is approved, *alias*.

    *against* is the digest of the evidence that the verdict was held against, empty for none; None where that was not
    the evidence of what *alias* points to. Raises Refused for a version that is not approved, or whose digests are not
    the candidate's; GateError when another promotion was first: what this one was held against is not live any more,
    and, unless *again*, for a model that was rolled back from. *again*: a person asks for it, and the ledger says so.
    *serves* is asked last: it raises where a cluster serves another model. Who moves meanwhile takes the place.
    """
    version = register(registry, candidate)
    if alias == CANDIDATE:
        return Promotion(version, alias)
    ledger, completed = settled(registry, alias, now)
    if ledger.live(alias) == version.number:
        return Promotion(version, alias, None, completed)
    _demand_live(against, registry, alias, ledger.live(alias))
    if not again:
        _demand_fresh(candidate, registry, ledger, alias)
    demand_approval(approval, registry, version)
    serves()
    before, by = ledger.live(alias), (candidate.verdict, candidate.commit, candidate.link)
    move = Move(ledger.next, alias, "promoted", version.number, before, now, *by, asked=again)
    return Promotion(version, alias, _make(registry, move), completed)


def register(registry: Registry, candidate: Candidate) -> Version:
    """Make the candidate a version, unless it is one already, and point `candidate` to it."""
    version = registry.register(candidate)
    if not version.is_of(candidate):
        raise Refused(
            f"version {version.number} of {registry.source} has other digests than this verdict",
            hint="somebody edited its tags; register the model anew under another verdict: mlgate check",
        )
    if registry.live(CANDIDATE) < version.number:  # a version that was registered later stays it
        registry.point(CANDIDATE, version.number)
    return version


def rollback(registry: Registry, *, alias: str, now: str, to: int = NO_VERSION, link: str = "") -> Move:
    """Point *alias* back to the version before, or to another one that was live once.

    Raises GateError when nothing was live before, Refused for a version that never was.
    """
    ledger, _ = settled(registry, alias, now)
    live, target = ledger.live(alias), to or ledger.back(alias)
    if target == NO_VERSION:
        before = f"nothing was live before version {live}" if live else "no version ever was"
        raise GateError(
            f"there is nothing to go back to: {before}, as {alias} of {registry.source}",
            hint="see what was live when: mlgate history",
        )
    if target == live:
        raise ConfigError(f"version {target} is {alias} already", hint="see what was live when: mlgate history")
    if target not in {span.version for span in ledger.spans(alias)}:
        raise Refused(
            f"version {target} was never {alias} of {registry.source}",
            hint="a version becomes live by its verdict: mlgate promote",
        )
    there = next((one for one in registry.versions() if one.number == target), None)
    if there is None:
        raise GateError(f"version {target} of {registry.source} was deleted", hint="name another one: --to VERSION")
    move = Move(ledger.next, alias, "rolled back", target, live, now, there.verdict, "", link)
    taken = take(registry, move)
    if taken is None:
        raise _lost(registry, move)
    return taken


def settled(registry: Registry, alias: str, now: str) -> tuple[Ledger, Move | None]:
    """Make alias and ledger say the same; return the ledger, and the move of somebody else's that was completed.

    An unconfirmed move is completed, unless its version was deleted meanwhile. Else somebody moved the alias by hand,
    and the ledger takes that down.
    """
    completed = None
    for _ in range(MOST_TRIES):
        ledger, live = registry.ledger(), registry.live(alias)
        last = ledger.last(alias)
        if last is not None and not last.done and _is_there(registry, last.version):
            point(registry, last)
            completed = last
        elif live == ledger.live(alias):
            return ledger, completed
        else:
            hand = Move(ledger.next, alias, "moved by hand", live, ledger.live(alias), now)
            if registry.append(hand):
                registry.confirm(hand)
    raise AdapterError(
        f"{alias} of {registry.source} keeps moving: others promote at the same time", hint="try again in a minute"
    )


def point(registry: Registry, move: Move) -> None:
    """Move the alias and confirm it; where a later move has won meanwhile, go on to that one: the last one holds."""
    for _ in range(MOST_TRIES):
        registry.point(move.alias, move.version)
        registry.confirm(move)
        last = registry.ledger().last(move.alias)
        if last is None or last == move:
            return
        move = last


def _is_there(registry: Registry, version: int) -> bool:
    return version == NO_VERSION or any(one.number == version for one in registry.versions())


def take(registry: Registry, move: Move) -> Move | None:
    """Take the move's place and carry it out; None when another move has the place."""
    if not registry.append(move):
        return None
    point(registry, move)
    return replace(move, done=True)


def _make(registry: Registry, move: Move) -> Move | None:
    """Make the move; None when the alias came to point there by another one. GateError when another was first."""
    taken = take(registry, move)
    if taken is None and settled(registry, move.alias, move.at)[0].live(move.alias) != move.version:
        raise _lost(registry, move)
    return taken


def _lost(registry: Registry, move: Move) -> GateError:
    first = registry.ledger().last(move.alias)
    what = f"version {first.version} was {first.kind} at {first.at}" if first else "another move took its place"
    return GateError(
        f"another promotion was first: {what}; {move.alias} is not what this version was held against",
        hint="hold it against what is live now: mlgate check, then mlgate promote",
    )


def _demand_live(against: str | None, registry: Registry, alias: str, live: int) -> None:
    """Raise GateError where another evidence is live: the place that is won next says that nobody moved since."""
    if against is not None and against != next((one.evidence for one in registry.versions() if one.number == live), ""):
        raise GateError(
            f"{f'version {live}' if live else 'nothing'} is {alias} of {registry.source} by now: "
            "this verdict was not held against it",
            hint="hold the model against what is live: mlgate check, then mlgate promote",
        )


def _demand_fresh(candidate: Candidate, registry: Registry, ledger: Ledger, alias: str) -> None:
    """Raise GateError for a model that somebody rolled back from: the next push would undo the rollback."""
    versions = {one.number: one for one in registry.versions()}
    withdrawn: Move | None = None
    untold: Move | None = None
    """A rollback from a version whose model's digest has the form before, and cannot be compared with this one's.

    A push of another model does not make it known: only a person, who asks for a promotion later, goes past it.
    """
    for move in ledger.of(alias):
        left = _is_same(candidate, versions.get(move.before)) if move.kind == "rolled back" else False
        if left is None:
            untold = move
        elif left:
            withdrawn = move
        elif _is_same(candidate, versions.get(move.version)):
            withdrawn = untold = None
        elif move.asked:
            untold = None
    if withdrawn is not None:
        raise GateError(
            f"this very model was rolled back from at {withdrawn.at}, as version {withdrawn.before}",
            hint="if it should be live again: mlgate promote",
        )
    if untold is not None:
        raise GateError(
            f"version {untold.before} was rolled back from at {untold.at}, and an older mlgate registered it: "
            "whether this is the same model cannot be told by digests of two forms",
            hint="if this model should be live: mlgate promote",
        )


def _is_same(candidate: Candidate, version: Version | None) -> bool | None:
    """Return whether a version is of the candidate's model; None where their digests cannot be compared."""
    if version is None or not version.model:
        return False
    if candidate.model == version.model:
        return True
    if candidate.form == version.form:
        return False
    return candidate.model_before == version.model if candidate.model_before else None


def demand_approval(approval: Approval | None, registry: Registry, version: Version) -> None:
    """Raise NotApproved for a version that waits for a person."""
    if approval is not None and not version.tags.get(approval.tag, "").strip():
        raise NotApproved(
            f"version {version.number} of {registry.source} is not approved: its tag {approval.tag} is empty",
            hint=f"set the tag {approval.tag} on version {version.number} in MLflow, then: mlgate promote",
        )
