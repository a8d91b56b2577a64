"""Whose rules judge a change: the base branch's, read from git, joined with what the change adds."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters import git, git_base, github_files, github_run, tests_surroundings
from mlgate.config import load
from mlgate.config.check_section import RecordedCheck
from mlgate.config.config import Config
from mlgate.config.data_section import Data, DatasetData, FileData, LinesData
from mlgate.config.document import Document, FileBaseline, GitBaseline
from mlgate.core.check import Check
from mlgate.core.errors import AdapterError, ConfigError, GateError, Refused
from mlgate.core.policy import Change, Direction, Policy
from mlgate.flow import policy as flow
from mlgate.wiring import policy_question
from mlgate.wiring.policy_sections import beside_like, named, sections, tightest

_MOST = 15
"""Files around tests that are told one by one."""

AUTO, NONE = "auto", "none"
"""Of a pull request or a merge queue in GitHub Actions: the base branch. Else this checkout's own rules."""

ReadChecks = Callable[[Config], Sequence[Check]]


@dataclass(frozen=True, slots=True)
class Base:
    """Which commit's rules bind."""

    ref: str = ""
    """A git ref, `auto`, or `none` and empty: this checkout's own rules. A Choice fills in what is left out."""
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
    compares_first: bool = False
    """The base compares with nothing: the first comparisons have no baseline yet, and warn."""
    notice: str = ""
    """What a person should know of whose rules judged."""
    names_its_model: bool = False
    """The change says where its model or its answers are: whether that is a model at all, the evidence may show."""


def bound(config: Config, base: Base, read: ReadChecks) -> Bound:
    """Join the rules of *config* with those of the *base*, whose data and tests are read from there, too.

    Raises Refused where the base says `ratchet: refuse` and the change loosens a rule; AdapterError where the base's
    rules cannot be had: a change is never judged by its own rules for want of better ones.
    """
    commit = _commit(config.root, base.ref)
    if not commit:
        return Bound(config, tuple(read(config)), notice=_own_rules(base.ref))
    git_base.refuse_links(config.root.absolute())
    source = f"base {commit[:10]}"
    with tempfile.TemporaryDirectory(prefix="mlgate-base-") as folder:
        theirs = _config_at(config, commit, Path(os.path.realpath(folder)))
        if theirs is None:
            return _first(config, base, read, commit)
        checks, changes = flow.joined(_read_base(theirs, read, commit), read(config))
    own = policy_question.is_its_own(theirs, config, commit)
    copies = policy_question.of_answers(config, checks) if own else ()
    changes = flow.ordered([*changes, *sections(theirs, config), *copies, *_files(config, theirs, commit)])
    _refuse(theirs, changes, approved=base.approved)
    return Bound(
        _joined(theirs, config, commit), checks, Policy(source, changes), theirs.baseline is None, names_its_model=own
    )


def _commit(root: Path, ref: str) -> str:
    if ref != AUTO:
        return git_base.resolve(root, ref) if ref not in ("", NONE) else ""
    run = github_run.here()
    if run is None or (run.is_reviewed and not run.is_change and _is_its_own(root, run.sha)):
        return ""
    if run.is_change:
        return git_base.merged_onto(root, run.merge, run.base)
    if not run.default_branch:
        hint = "say it: --base REF (input `base`), or none for this checkout's own"
        raise AdapterError(
            f"whose rules bind is not known: the event of {run.event} names no default branch", hint=hint
        )
    return git_base.tip(root, run.default_branch)  # nobody has let this ref's own rules in


def _own_rules(ref: str) -> str:
    """Return what to say of a change that is judged by its own rules, for a workflow may name whose rules bind."""
    run = github_run.here() if ref == NONE and github_files.inside() else None
    return "base: none: this change is judged by its own rules, which it may edit" if run and run.is_change else ""


def _is_its_own(root: Path, sha: str) -> bool:
    """Return whether the commit of the run is checked out: a step of a reviewed branch may check a change out."""
    return not sha or git.commit(root).removesuffix("+dirty") in ("", sha)


def _base_branch() -> str | None:
    run = github_run.here()
    return run.base_branch if run and run.is_change else None


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
    except GateError as error:
        place = error.where.removeprefix(f"{theirs.root}/")  # of a file that lay in a folder that is gone by now
        hint = f"mend it on the base branch first; look at it: git show {commit[:10]}"
        raise GateError(f"the base's rules cannot be used: {error.message}", where=place, hint=hint) from error


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


def _files(ours: Config, theirs: Config, commit: str) -> Iterator[Change]:
    """Yield the files that bear on the verdict and that the change edits, where their content is not compared."""
    for name, check in theirs.checks.items():
        if isinstance(check, RecordedCheck):
            for path in dict.fromkeys(path.split("::")[0] for path in check.tests):
                if not git_base.is_same(ours.root, commit, path):
                    yield Change(Direction.EFFECTIVE, f"{name}: the tests in {path} are edited, and run as edited")
            yield from _around(ours, theirs, commit, name, check)
    kept = theirs.baseline
    if not isinstance(kept, FileBaseline) or not git_base.keeps(ours.root, commit, kept.path):
        return
    if not git_base.is_same(ours.root, commit, kept.path):
        yield Change(Direction.DIFFERENT, f"the baseline {kept.path} is edited: the base's is used")


def _around(ours: Config, theirs: Config, commit: str, name: str, check: RecordedCheck) -> Iterator[Change]:
    """Yield the edits of what a check's tests import, of what pytest reads for them, and of data beside them."""
    python = theirs.model.python
    model = posixpath.join(python.path, python.target.partition(":")[0].replace(".", "/")) if python else ""
    known = [ours.path.name, *(path for config in (theirs, ours) for path in _paths(config))]
    tests = [path.split("::")[0] for path in check.tests if not posixpath.isabs(path)]
    found = [*tests_surroundings.edits(ours.root, commit, tests, model=model, known=known)]
    for edit in found[:_MOST]:
        yield Change(Direction.EFFECTIVE, f"{name}: {edit.path} is {edit.how}, and its tests use it as it is here")
    if len(found) > _MOST:
        more = f"{name}: {len(found) - _MOST:,} more files that its tests use are edited"
        yield Change(Direction.EFFECTIVE, more)


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
    image, baseline = ours.model.image, theirs.baseline
    model = ours.model
    if image and theirs.model.image:
        model = model.model_copy(update={"image": tightest(theirs.model.image, image)})
    report = tuple(dict.fromkeys([*theirs.document.report, *ours.document.report]))
    same = {"model": model, "report": report, "tracking": named(theirs.document)}  # a change sends no keys elsewhere
    if baseline is None:  # the base compares nothing: what the change compares is its own matter
        return replace(ours, document=ours.document.model_copy(update=same))
    if isinstance(baseline, FileBaseline) and git_base.keeps(ours.root, commit, baseline.path):
        baseline = GitBaseline.model_construct(kept_in="git", ref=commit, path=baseline.path)
    if isinstance(baseline, GitBaseline) and baseline.ref.removeprefix("origin/") == _base_branch():
        baseline = baseline.model_copy(update={"ref": commit})  # the very branch, where a shallow clone knows it not
    document: Document = ours.document.model_copy(update={**same, "baseline": baseline})
    past = theirs.baseline_model
    return replace(ours, document=document, past=beside_like(past, image) if past else None)
