"""Which commit's rules bind: the one that a person names, or the base that GitHub tells of the change under test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlgate.adapters.git import base_commit, refs, remotes, repository
from mlgate.adapters.github import environment
from mlgate.adapters.github.environment import GithubRun
from mlgate.adapters.process.environment_flags import in_github_actions
from mlgate.core.errors import AdapterError, Refused

AUTO, NONE = "auto", "none"
"""Of a pull request or a merge queue in GitHub Actions: the base branch. Else this checkout's own rules."""

_NO_CHANGE = "leave `base` at auto, or name a branch in full: refs/remotes/origin/main"


@dataclass(frozen=True, slots=True)
class BaseOptions:
    """Which commit's rules bind."""

    ref: str = ""
    """A git ref, `auto`, or `none` and empty: this checkout's own rules. RunOptions fills in what is left out."""
    approved: bool = False
    """A person has approved that the change edits the rules: `ratchet: refuse` lets it pass, judged by the base."""
    bootstrap: bool = False
    """Where the base has no mlgate.yaml yet, the change is judged by its own."""


def commit_of(root: Path, ref: str) -> str:
    """Return the commit whose rules bind; empty where they are this checkout's own."""
    if ref != AUTO:
        return _named_commit(root, ref) if ref not in ("", NONE) else ""
    run = environment.here()
    return "" if run is None or _is_let_in(root, run) else _reviewed_commit(root, run)


def _is_let_in(root: Path, run: GithubRun) -> bool:
    """Return whether somebody has let in what is checked out: a step of a reviewed run may check a change out."""
    return run.is_reviewed and not run.is_change and repository.is_commit_of(root, run.sha)


def _reviewed_commit(root: Path, run: GithubRun) -> str:
    """Return the commit that somebody has let in, and that what is checked out is held against."""
    if run.is_change:
        return base_commit.merged_onto(root, run.merge, run.base)
    if run.is_reviewed:  # what is called `origin` may be the fork that was checked out
        return base_commit.brought_here(root, run.sha)
    if not run.default_branch:
        hint = "say it: --base REF (input `base`), or none for this checkout's own"
        raise AdapterError(
            f"whose rules bind is not known: the event of {run.event} names no default branch", hint=hint
        )
    return base_commit.tip(root, run.default_branch)  # nobody has let this ref's own rules in


def _named_commit(root: Path, ref: str) -> str:
    """Return the commit of a base that a person names. Where a change is judged, it is nothing of the change's own.

    What is checked out there may be a stranger's repository, whose branches are called like ours: the base branch is
    what the event says that it is.
    """
    run = environment.here()
    if run is None or _is_let_in(root, run):
        return base_commit.resolve(root, ref)
    if refs.follows_head(ref):
        raise Refused(
            f"{ref} is counted from what is checked out: the change chooses where that leads",
            where=str(root),
            hint=_NO_CHANGE,
        )
    if run.is_change and refs.branch_of(ref) == run.base_branch:
        return base_commit.merged_onto(root, run.merge, run.base)
    commit = base_commit.resolve(root, ref)
    if repository.is_ancestor(root, commit, "HEAD") and not _is_merged(root, run, commit):
        raise Refused(
            f"the base {ref} is a commit of the change itself ({commit[:10]}): it would judge itself by its own rules",
            where=str(root),
            hint=_NO_CHANGE,
        )
    return commit


def _is_merged(root: Path, run: GithubRun, commit: str) -> bool:
    """Return whether a commit is in the history of what somebody has let in."""
    if repository.is_ancestor(root, commit, _reviewed_commit(root, run)):
        return True
    main = f"refs/remotes/origin/{run.default_branch}"  # a change may go to another branch, and have main merged in
    known = refs.exact(root, main) if run.is_change and run.default_branch else ""
    if not known:
        return False
    remotes.refuse_strangers(root, main)
    return repository.is_ancestor(root, commit, known)


def own_rules(ref: str) -> str:
    """Return what to say of a change that is judged by its own rules, for a workflow may name whose rules bind."""
    run = environment.here() if ref == NONE and in_github_actions() else None
    return "base: none: this change is judged by its own rules, which it may edit" if run and run.is_change else ""


def base_branch() -> str | None:
    """Return the branch that the change under test is to be merged into; None where there is no change."""
    run = environment.here()
    return run.base_branch if run and run.is_change else None
