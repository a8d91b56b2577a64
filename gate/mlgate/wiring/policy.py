"""Whose rules judge a change: the base branch's, read from git, joined with what the change adds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters import git_base, github_run
from mlgate.config import load
from mlgate.config.check_section import RecordedCheck
from mlgate.config.config import Config
from mlgate.config.data_section import Data, DatasetData, FileData, LinesData
from mlgate.config.document import Document, GitBaseline
from mlgate.config.image_section import SANDBOXES
from mlgate.core.check import Check
from mlgate.core.errors import ConfigError, GateError, Refused
from mlgate.core.policy import Change, Direction, Policy
from mlgate.flow import policy as flow

AUTO, NONE = "auto", "none"
"""Of a pull request or a merge queue in GitHub Actions: the base branch. Else this checkout's own rules."""

ReadChecks = Callable[[Config], Sequence[Check]]


@dataclass(frozen=True, slots=True)
class Base:
    """Which commit's rules bind."""

    ref: str = ""
    """A git ref, `auto`, or `none` and empty: this checkout's own rules."""
    approved: bool = False
    """A person has approved that the change edits the rules: `ratchet: refuse` lets it pass, judged by the base."""
    bootstrap: bool = False
    """Where the base has no mlgate.yaml yet, the change is judged by its own."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What judges: a configuration and checks whose rules no change under test could loosen."""

    config: Config
    checks: tuple[Check, ...]
    policy: Policy | None = None


def bound(config: Config, base: Base, read: ReadChecks) -> Bound:
    """Join the rules of *config* with those of the *base*, whose data and tests are read from there, too.

    Raises Refused where the base says `ratchet: refuse` and the change loosens a rule; AdapterError where the base's
    rules cannot be had: a change is never judged by its own rules for want of better ones.
    """
    commit = _commit(config.root, base.ref)
    if not commit:
        return Bound(config, tuple(read(config)))
    source = f"base {commit[:10]}"
    with tempfile.TemporaryDirectory(prefix="mlgate-base-") as folder:
        theirs = _config_at(config, commit, Path(folder))
        if theirs is None:
            return _first(config, base, read, commit)
        checks, changes = flow.joined(_read_base(theirs, read, commit), read(config))
    changes = flow.ordered([*changes, *_sections(theirs, config), *_tests(config, theirs, commit)])
    _refuse(theirs, changes, approved=base.approved)
    return Bound(_joined(theirs, config, commit), checks, Policy(source, changes))


def _commit(root: Path, ref: str) -> str:
    if ref != AUTO:
        return git_base.resolve(root, ref) if ref not in ("", NONE) else ""
    run = github_run.here()
    return git_base.merged_onto(root, run.sha, run.base) if run and run.is_change else ""


def _config_at(config: Config, commit: str, folder: Path) -> Config | None:
    """Return the base's configuration, with its data beside it under *folder*; None when it has none."""
    name = config.path.name
    text = git_base.text(config.root, commit, name)
    if text is None:
        return None
    shown = f"{config.path}@{commit[:10]}"
    try:
        theirs = load.parse(text, shown, config.root)
    except ConfigError as error:
        hint = "mend mlgate.yaml on the base branch first"
        raise GateError(f"the base's rules cannot be used: {error}", where=shown, hint=hint) from error
    there = git_base.place(config.root, commit, _paths(theirs), folder)
    return replace(theirs, root=there)


def _first(config: Config, base: Base, read: ReadChecks, commit: str) -> Bound:
    if not base.bootstrap:
        raise GateError(
            f"the base {commit[:10]} has no {config.path.name}: there are no rules but the change's own",
            where=str(config.path),
            hint="for the change that brings the gate: mlgate check --bootstrap (input `bootstrap: true`)",
        )
    changes = [Change(Direction.DIFFERENT, f"the base has no {config.path.name} yet: judged by the change's own rules")]
    return Bound(config, tuple(read(config)), Policy(f"this change, for base {commit[:10]} has none", tuple(changes)))


def _read_base(theirs: Config, read: ReadChecks, commit: str) -> Sequence[Check]:
    try:
        return read(theirs)
    except ConfigError as error:
        raise GateError(f"the base's rules cannot be used: {error}", hint=f"look at them: git show {commit}") from error


def _paths(config: Config) -> Iterator[str]:
    for check in config.checks.values():
        if check.data is not None:
            yield from _data_paths(check.data)
        if isinstance(check, RecordedCheck):
            yield from (path.split("::")[0] for path in check.tests)


def _data_paths(data: Data) -> Iterator[str]:
    match data:
        case FileData(path=path):
            yield path
        case LinesData(source=source, references=references):
            yield from (source, *references)
        case DatasetData(dataset=path):
            yield path


def _sections(theirs: Config, ours: Config) -> Iterator[Change]:
    """Yield the changes outside of the checks: the baseline, how tight the sandbox is, whether edits are refused."""
    if theirs.baseline is not None and theirs.baseline != ours.baseline:
        yield Change(Direction.DIFFERENT, "the baseline is another one", ours.where("baseline"))
    before, after = theirs.model.image, ours.model.image
    if before and after:
        if SANDBOXES.index(after.sandbox) > SANDBOXES.index(before.sandbox):
            said = f"the sandbox {before.sandbox} becomes {after.sandbox}"
            yield Change(Direction.LOOSER, said, ours.where("model", "image", "sandbox"))
        if after.tmp_exec and not before.tmp_exec:
            yield Change(Direction.LOOSER, "files in /tmp may be executed", ours.where("model", "image", "tmp_exec"))
    if theirs.document.ratchet == "refuse" and ours.document.ratchet != "refuse":
        yield Change(Direction.LOOSER, "ratchet: refuse is removed", ours.where("ratchet"))


def _tests(ours: Config, theirs: Config, commit: str) -> Iterator[Change]:
    """Yield the test files of recorded checks that the change edits. They run as it has them: they are its code."""
    for name, check in theirs.checks.items():
        if isinstance(check, RecordedCheck):
            for path in dict.fromkeys(path.split("::")[0] for path in check.tests):
                if not git_base.is_same(ours.root, commit, path):
                    yield Change(Direction.DIFFERENT, f"{name}: the tests in {path} are edited, and run as edited")


def _refuse(theirs: Config, changes: Sequence[Change], *, approved: bool) -> None:
    weaker = [change for change in changes if change.weakens]
    if theirs.document.ratchet != "refuse" or approved or not weaker:
        return
    rest = f" (and {len(weaker) - 1} more)" if len(weaker) > 1 else ""
    raise Refused(
        f"this change loosens its own gate, which `ratchet: refuse` forbids: {weaker[0].what}{rest}",
        where=weaker[0].where,
        hint="take it back, or have a person approve it: --approve-policy (input `policy-approved`)",
    )


def _joined(theirs: Config, ours: Config, commit: str) -> Config:
    """Return the change's configuration with the base's baseline and sandbox; a baseline's file is the base's, too."""
    baseline = theirs.baseline if theirs.baseline is not None else ours.baseline
    if (path := getattr(baseline, "path", None)) and getattr(baseline, "kept_in", "") == "file":
        baseline = GitBaseline.model_validate({"from": "git", "ref": commit, "path": path})
    model, before, after = ours.model, theirs.model.image, ours.model.image
    if before and after:
        tighter: dict[str, object] = {"sandbox": min(before.sandbox, after.sandbox, key=SANDBOXES.index)}
        tighter["tmp_exec"] = before.tmp_exec and after.tmp_exec
        other = {key: value for key, value in tighter.items() if getattr(after, key) != value}
        model = model.model_copy(update={"image": after.model_copy(update=other)})
    document: Document = ours.document.model_copy(update={"baseline": baseline, "model": model})
    return replace(ours, document=document)
