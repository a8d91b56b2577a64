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
from mlgate.core.deploy.release import Release
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


def demand_no_older(root: Path, release: Release, serves: Release, back: str) -> None:
    """Raise Refused where a release is of an older commit than the one that serves: an old pass is played again.

    *back*: how a person goes back on purpose.
    """
    new, old = (one.commit.removesuffix("+dirty") for one in (release, serves))
    if not new or not old or new == old:
        return
    step = f"to go back, {back}; or say that you mean it: --allow-older"
    try:
        is_older = repository.is_ancestor(root, new, old)
    except AdapterError as error:
        raise Refused(
            f"git cannot say whether the commit {new[:10]} is older than {old[:10]}, which serves",
            hint=f"check out the whole history (fetch-depth: 0); or {step}",
        ) from error
    if is_older:
        raise Refused(f"the commit {new[:10]} is older than {old[:10]}, which serves", hint=step)
