"""The verdict's attestation, held against what is to be deployed: before anything is asked of a cluster."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from mlgate.adapters.files.run_folder import ATTESTATIONS
from mlgate.adapters.git import repository
from mlgate.adapters.github import environment
from mlgate.commands.last_verdict import verified
from mlgate.commands.run_options import RunOptions
from mlgate.core.attestation.demands import Demands, Signed, accepted
from mlgate.core.deploy.release import Deployed, Release
from mlgate.core.errors import AdapterError, Refused
from mlgate.flow.deploy.release import release_of
from mlgate.wiring.pushed import pushed
from mlgate.wiring.trust import Trust


def last_release(choice: RunOptions, trust: Trust | None, *, now: datetime, max_age: timedelta) -> Release:
    """Return what the last verdict lets onto the cluster; where *trust* demands it, with the attestation that says so.

    Raises Refused for what may not be deployed; Outdated where that is for its age alone.
    """
    _, report, content = verified(choice)
    run = environment.here()
    release = release_of(
        report,
        hashlib.sha256(content).hexdigest(),
        choice.folder.verdict().judged,
        now=now,
        max_age=max_age,
        link=run.url if run else "",
        pushed=pushed(choice.image),
    )
    if trust is None:
        return release
    return replace(release, attestation=attestation_of(choice, trust, release, now)[0].digest)


def attestation_of(choice: RunOptions, trust: Trust, release: Release, now: datetime) -> tuple[Signed, Demands]:
    """Return the attestation of exactly this release, and what was demanded of it. Raises Refused without one."""
    demands = replace(
        trust.demands([release.image], now),
        model_digest=release.model,
        report=release.verdict,
        commit=release.commit,
    )
    return accepted(trust.verified(files(choice)), demands), demands


def files(choice: RunOptions) -> tuple[Path, ...]:
    """Return the attestations that a person named, or else those that lie beside the verdict."""
    beside = (choice.folder.path / name for name in ATTESTATIONS)
    return choice.attestations or tuple(path for path in beside if path.exists())


def demand_no_older(
    root: Path,
    release: Release,
    serves: Deployed | None,
    rising: Deployed | None = None,
    *,
    back: str = "mlgate rollback",
) -> None:
    """Raise Refused where a release is of an older commit than a model whose place it takes: an old pass, played again.

    *serves* has the users' requests; *rising* gets more and more of them. None: there is no such model.
    *back*: how a person goes back on purpose.
    """
    for one, does in ((serves, "serves"), (rising, "is being rolled out")):
        if one is not None:
            _demand_no_older(root, release, one.release, does, back)


def _demand_no_older(root: Path, release: Release, other: Release, does: str, back: str) -> None:
    new, old = (one.commit.removesuffix("+dirty") for one in (release, other))
    if not new or not old or new == old:
        return
    step = f"to go back, {back}; or say that you mean it: --allow-older"
    unknown = Refused(
        f"git cannot say whether the commit {new[:10]} is older than {old[:10]}, which {does}",
        hint=f"check out the whole history (fetch-depth: 0); or {step}",
    )
    try:
        is_older = repository.is_ancestor(root, new, old)
        is_known = is_older or repository.is_ancestor(root, old, new) or not repository.is_shallow(root)
    except AdapterError as error:
        raise unknown from error
    if not is_known:  # a history that is cut off says "no" of what it does not have
        raise unknown
    if is_older:
        raise Refused(f"the commit {new[:10]} is older than {old[:10]}, which {does}", hint=step)
