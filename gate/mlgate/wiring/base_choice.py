"""Which commit's rules bind: the one that a person names, or the base that GitHub tells of the change under test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters.git import base_commit, refs, remotes, repository
from mlgate.adapters.git.base_commit import BaseCommit
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


def commit_of(root: Path, ref: str) -> BaseCommit | None:
    """Return the commit whose rules bind; None where they are this checkout's own."""
    if ref in ("", NONE):
        return None
    run = environment.here()
    if run is None or _is_let_in(root, run):
        return None if ref == AUTO else base_commit.resolve(root, ref)
    found = _reviewed_commit(root, run) if ref == AUTO else _named_commit(root, ref, run)
    return replace(found, branch=run.base_branch) if run.is_change else found


def _is_let_in(root: Path, run: GithubRun) -> bool:
    """Return whether somebody has let in what is checked out: a step of a reviewed run may check a change out."""
    return run.is_reviewed and not run.is_change and repository.is_commit_of(root, run.sha)


def _reviewed_commit(root: Path, run: GithubRun) -> BaseCommit:
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


def _named_commit(root: Path, ref: str, run: GithubRun) -> BaseCommit:
    """Return the commit of a base that a person names where a change is judged: it is nothing of the change's own.

    What is checked out there may be a stranger's repository, whose branches are called like ours: the base branch is
    what the event says that it is.
    """
    if refs.follows_head(ref):
        raise Refused(
            f"{ref} is counted from what is checked out: the change chooses where that leads",
            where=str(root),
            hint=_NO_CHANGE,
        )
    if run.is_change and refs.branch_of(ref) == run.base_branch:
        return base_commit.merged_onto(root, run.merge, run.base)
    found = base_commit.resolve(root, ref)
    if repository.is_ancestor(root, found.id, "HEAD") and not _is_merged(root, run, found.id):
        raise Refused(
            f"the base {ref} is a commit of the change itself ({found.short}): it would judge itself by its own rules",
            where=str(root),
            hint=_NO_CHANGE,
        )
    return found


def _is_merged(root: Path, run: GithubRun, commit: str) -> bool:
    """Return whether a commit is in the history of what somebody has let in."""
    if repository.is_ancestor(root, commit, _reviewed_commit(root, run).id):
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
