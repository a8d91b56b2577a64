"""The registry's alias names what the cluster serves: it moves after the cluster has confirmed, never before.

Two things cannot be written at once. So the cluster's record is written first: it says which verdict serves. The
registry's alias follows it. A process that dies in between leaves an alias that names the model before, which the
cluster had confirmed too; whoever looks next sees both and moves the alias.

The order of reading makes that safe without a lock: the ledger is read, then the cluster is asked, then the next place
of that ledger is taken. Who asked the cluster before another rollout ended finds the place taken, and looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlgate.core.deploy.release import Release, ServiceRecord
from mlgate.core.errors import AdapterError, GateError, Refused
from mlgate.core.ports import Registry
from mlgate.core.tracking.ledger import Ledger, Move
from mlgate.core.tracking.model_version import Version
from mlgate.flow.promotion import MOST_TRIES, Approval, Promotion, demand_approval, settled, take


@dataclass(frozen=True)
class AliasTools:
    """All that it takes to let an alias follow a service."""

    alias: str
    registry: Registry
    served: Callable[[], ServiceRecord]
    """Asks the cluster for its record."""
    now: Callable[[], str]
    """ISO 8601 in UTC."""
    register: Callable[[Release], None] = lambda _: None
    """Makes the release's verdict a version, where its files are here; else it does nothing. Raises Ineligible for a
    verdict that no baseline may be made of."""
    approval: Approval | None = None
    link: str = ""
    """The CI run's page; empty at a desk."""


class NoVersion(GateError):  # noqa: N818 - what there is not
    """The registry has no version of what the cluster serves."""


def follow(tools: AliasTools, *, is_rollback: bool = False) -> Promotion | None:
    """Point the alias to the version of what the cluster serves; None where mlgate judged nothing that serves.

    *is_rollback*: a person went back. Raises NoVersion when that verdict was never registered, NotApproved for a
    version that waits for a person, Refused for one whose digests are not the release's.
    """
    for _ in range(MOST_TRIES):
        release = judged(tools.served())
        if release is None:
            return None
        if not any(one.verdict == release.verdict for one in tools.registry.versions()):
            tools.register(release)
        if not of_release(tools.registry.versions(), release):
            raise NoVersion(
                f"no version of {tools.registry.source} is of the verdict {release.verdict[:12]} that serves",
                hint="mlgate promote, where the files of that verdict are",
            )
        ledger, completed = settled(tools.registry, tools.alias, tools.now())
        version = _demanded(tools.registry, ledger.of(tools.alias), release)
        if ledger.live(tools.alias) == version.number:
            return Promotion(version, tools.alias, None, completed)
        move = _move(tools, ledger, version, is_rollback=is_rollback)
        made = take(tools.registry, move) if move is not None else None
        if made is not None:
            return Promotion(version, tools.alias, made, completed)
    raise AdapterError(
        f"{tools.alias} of {tools.registry.source} keeps moving: others promote at the same time",
        hint="try again in a minute: mlgate promote",
    )


def judged(record: ServiceRecord) -> Release | None:
    """Return the release that serves; None for nothing, and for a model that mlgate found on the cluster."""
    accepted = record.accepted
    return accepted.release if accepted is not None and accepted.release.verdict else None


def of_release(versions: Sequence[Version], release: Release) -> list[Version]:
    """Return the versions of a release: of its verdict, or of another verdict on the same model."""
    return [one for one in versions if one.verdict == release.verdict or (one.model and one.model == release.model)]


def named(versions: Sequence[Version], moves: Sequence[Move], release: Release) -> Version | None:
    """Return the version that the alias should name, given its *moves*; None where there is none.

    It is the one of the very verdict, or a later one on the same model that was live: a person renewed the evidence.
    """
    was_live = {move.version for move in moves}
    fit = [one for one in of_release(versions, release) if one.verdict == release.verdict or one.number in was_live]
    return max(fit, key=lambda one: one.number, default=None)


def _demanded(registry: Registry, moves: Sequence[Move], release: Release) -> Version:
    version = named(registry.versions(), moves, release)
    if version is None:
        raise NoVersion(
            f"no version of {registry.source} is of the verdict {release.verdict[:12]} that serves; "
            "one of another verdict on the same model was never live",
            hint="hold the model against what is live: mlgate check, then mlgate promote",
        )
    if version.verdict == release.verdict and release.model and version.model != release.model:
        raise Refused(
            f"version {version.number} of {registry.source} has another model's digest than what serves",
            hint="somebody edited its tags; judge the model anew, and deploy that: mlgate check, mlgate deploy",
        )
    return version


def _move(tools: AliasTools, ledger: Ledger, version: Version, *, is_rollback: bool) -> Move | None:
    """Return the move to make; None where another model serves by now. The cluster is asked after the ledger was."""
    moves = ledger.of(tools.alias)
    was_live = any(move.version == version.number for move in moves)
    if not was_live:
        demand_approval(tools.approval, tools.registry, version)
    record = tools.served()
    release = judged(record)
    if release is None or named(tools.registry.versions(), moves, release) != version:
        return None
    went_back = is_rollback or (was_live and record.previous is None)
    return Move(
        number=ledger.next,
        alias=tools.alias,
        kind="rolled back" if went_back else "promoted",
        version=version.number,
        before=ledger.live(tools.alias),
        at=tools.now(),
        verdict=version.verdict,
        commit=release.commit if version.verdict == release.verdict else "",
        link=tools.link,
    )
