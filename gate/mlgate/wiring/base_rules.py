"""Whose rules judge a change: the base branch's, read from git, joined with what the change adds."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters.git import base_commit, base_data, refs, remotes, repository, test_dependencies
from mlgate.adapters.git.base_commit import FileOrigin
from mlgate.adapters.git.base_data import OtherData
from mlgate.adapters.github import environment
from mlgate.adapters.github.environment import GithubRun
from mlgate.adapters.process.environment_flags import in_github_actions
from mlgate.config import load
from mlgate.config.config import Config
from mlgate.config.sections.check import RecordedCheck
from mlgate.config.sections.data import Data, DatasetData, FileData, LinesData
from mlgate.config.sections.document import Document, FileBaseline, GitBaseline
from mlgate.core.check import Check
from mlgate.core.errors import AdapterError, ConfigError, GateError, Refused
from mlgate.core.rule_change import Direction, Policy, RuleChange
from mlgate.flow import base_rules as flow
from mlgate.wiring import base_question, evidence_source
from mlgate.wiring.base_sections import beside_like, named, sections, tightest

_MOST_FILES_LISTED = 15
"""Files around tests that are told one by one."""

AUTO, NONE = "auto", "none"
"""Of a pull request or a merge queue in GitHub Actions: the base branch. Else this checkout's own rules."""

_NO_CHANGE = "leave `base` at auto, or name a branch in full: refs/remotes/origin/main"

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
class Binding:
    """Whose rules judge, and what the change under test has a say in."""

    policy: Policy | None = None
    """Whose rules they are and how the change edits them; None where they are this checkout's own."""
    base: str = ""
    """The commit whose rules bind; empty where they are this checkout's own."""
    own_baseline: bool = False
    """The base names no baseline: the one in the configuration is the change's own, and there may be none yet."""
    notice: str = ""
    """What a person should know of whose rules judged."""
    names_its_model: bool = False
    """The change says where its model or its answers are: whether that is a model at all, the evidence may show."""
    approved: bool = False
    """A person approved that the change edits what judges it."""
    ratchet: bool = False
    """The base says `ratchet: refuse`, and nobody approved."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What judges: a configuration and checks whose rules no change under test could loosen."""

    config: Config
    checks: tuple[Check, ...]
    binding: Binding


def bound(config: Config, base: Base, read: ReadChecks) -> Bound:
    """Join the rules of *config* with those of the *base*, whose data and tests are read from there, too.

    Raises Refused where the base says `ratchet: refuse` and the change loosens a rule; AdapterError where the base's
    rules cannot be had: a change is never judged by its own rules for want of better ones.
    """
    commit = _commit(config.root, base.ref)
    if not commit:
        binding = Binding(notice=_own_rules(base.ref), approved=base.approved)
        return Bound(config, tuple(read(config)), binding)
    base_commit.refuse_links(config.root.absolute())
    source = f"base {commit[:10]}"
    with tempfile.TemporaryDirectory(prefix="mlgate-base-") as folder:
        theirs = _config_at(config, commit)
        if theirs is None:
            return _first(config, base, read, commit)
        theirs, replaced = _with_data(theirs, config, commit, Path(os.path.realpath(folder)), approved=base.approved)
        checks, changes = flow.joined(_read_base(theirs, read, commit), read(config))
    own_model = base_question.is_its_own(theirs, config, commit)
    copies = base_question.of_answers(config, checks) if own_model else ()
    edits = [*replaced, *changes, *sections(theirs, config), *copies, *_files(config, theirs, commit)]
    changes = flow.ordered(edits)
    _refuse(theirs, changes, approved=base.approved)
    binding = Binding(
        Policy(source, changes),
        base=commit,
        own_baseline=theirs.baseline is None,
        names_its_model=own_model,
        approved=base.approved,
        ratchet=theirs.document.ratchet == "refuse" and not base.approved,
    )
    return Bound(_joined_config(theirs, config, commit), checks, binding)


def _commit(root: Path, ref: str) -> str:
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


def _own_rules(ref: str) -> str:
    """Return what to say of a change that is judged by its own rules, for a workflow may name whose rules bind."""
    run = environment.here() if ref == NONE and in_github_actions() else None
    return "base: none: this change is judged by its own rules, which it may edit" if run and run.is_change else ""


def _base_branch() -> str | None:
    run = environment.here()
    return run.base_branch if run and run.is_change else None


def _config_at(config: Config, commit: str) -> Config | None:
    """Return the base's configuration; None when it has none."""
    name = config.path.name
    text = base_commit.text(config.root, commit, name)
    if text is None:
        return None
    shown = f"{config.path}@{commit[:10]}"
    try:
        return load.parse(text, shown, config.root)
    except ConfigError as error:
        hint = "mend mlgate.yaml on the base branch first"
        raise GateError(f"the base's rules cannot be used: {error}", where=shown, hint=hint) from error


def _with_data(
    theirs: Config, ours: Config, commit: str, folder: Path, *, approved: bool
) -> tuple[Config, tuple[RuleChange, ...]]:
    """Return the base's configuration with its data beside it under *folder*, and where the change's stand in for them.

    That is where the change moved a pointer of DVC or Git LFS, the base's content is not here, and a person approved.
    """
    there, other = base_data.place(ours.root, commit, _paths(theirs), folder, instead=approved)
    if other and not approved:
        _refuse(theirs, [_stands_in(one) for one in other], approved=False)
        raise other[0].error
    return replace(theirs, root=there), tuple(_stands_in(one) for one in other)


def _stands_in(other: OtherData) -> RuleChange:
    return RuleChange(Direction.QUESTION, f"the data {other.path}: {other.what}, and the base's are not here")


def _first(config: Config, base: Base, read: ReadChecks, commit: str) -> Bound:
    if not base.bootstrap:
        raise GateError(
            f"the base {commit[:10]} has no {config.path.name}: there are no rules but the change's own",
            where=str(config.path),
            hint="for the change that brings the gate: mlgate check --bootstrap (input `bootstrap: true`)",
        )
    changes = [
        RuleChange(Direction.DIFFERENT, f"the base has no {config.path.name} yet: judged by the change's own rules")
    ]
    policy = Policy(f"this change, for base {commit[:10]} has none", (*changes, *_own_baseline(config, commit)))
    binding = Binding(policy, base=commit, own_baseline=True, approved=base.approved)
    return Bound(config, tuple(read(config)), binding)


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
        case LinesData(source=source, references=references, group=group):
            yield from (source, *references, *([group] if group else []))
        case DatasetData(dataset=path):
            yield path


def _files(ours: Config, theirs: Config, commit: str) -> Iterator[RuleChange]:
    """Yield the files that bear on the verdict and that the change edits, where their content is not compared."""
    for name, check in theirs.checks.items():
        if isinstance(check, RecordedCheck):
            for path in dict.fromkeys(path.split("::")[0] for path in check.tests):
                if not base_commit.is_same(ours.root, commit, path):
                    yield RuleChange(Direction.EFFECTIVE, f"{name}: the tests in {path} are edited, and run as edited")
            yield from _around(ours, theirs, commit, name, check)
    kept = theirs.baseline
    if kept is None:
        yield from _own_baseline(ours, commit)
    elif isinstance(kept, FileBaseline) and evidence_source.is_edited(ours.root, commit, kept.path):
        yield RuleChange(Direction.DIFFERENT, f"the baseline {kept.path} is edited: the base's is used")


def _own_baseline(ours: Config, commit: str) -> Iterator[RuleChange]:
    """Yield that the first baseline comes with the change: no rule of the base compares, so it can only block more."""
    kept = ours.baseline
    if isinstance(kept, FileBaseline) and base_commit.origin(ours.root, commit, kept.path) is FileOrigin.CHANGE:
        said = f"the first baseline {kept.path} comes with this change: the next ones are held against it"
        yield RuleChange(Direction.TIGHTER, said, ours.where("baseline"))


def _around(ours: Config, theirs: Config, commit: str, name: str, check: RecordedCheck) -> Iterator[RuleChange]:
    """Yield the edits of what a check's tests import, of what pytest reads for them, and of data beside them."""
    python = theirs.model.python
    model = posixpath.join(python.path, python.target.partition(":")[0].replace(".", "/")) if python else ""
    known = [ours.path.name, *(path for config in (theirs, ours) for path in _paths(config))]
    tests = [path.split("::")[0] for path in check.tests if not posixpath.isabs(path)]
    found = [*test_dependencies.edits(ours.root, commit, tests, model=model, known=known)]
    for edit in found[:_MOST_FILES_LISTED]:
        yield RuleChange(Direction.EFFECTIVE, f"{name}: {edit.path} is {edit.how}, and its tests use it as it is here")
    if len(found) > _MOST_FILES_LISTED:
        more = f"{name}: {len(found) - _MOST_FILES_LISTED:,} more files that its tests use are edited"
        yield RuleChange(Direction.EFFECTIVE, more)


def _refuse(theirs: Config, changes: Sequence[RuleChange], *, approved: bool) -> None:
    weaker = [change for change in changes if change.weakens]
    if theirs.document.ratchet != "refuse" or approved or not weaker:
        return
    raise refusal(weaker)


def refusal(weaker: Sequence[RuleChange]) -> Refused:
    """Return why `ratchet: refuse` lets no *weaker* rules through, the first of them in full."""
    rest = f" (and {len(weaker) - 1} more)" if len(weaker) > 1 else ""
    return Refused(
        f"this change loosens its own gate, which `ratchet: refuse` forbids: {weaker[0].what}{rest}",
        where=weaker[0].where,
        hint="take it back, or have a person approve it: --approve-policy (input `policy-approved`)",
    )


def _joined_config(theirs: Config, ours: Config, commit: str) -> Config:
    """Return the change's configuration with the base's baseline and sandbox; a baseline's file is the base's, too."""
    image, baseline = ours.model.image, theirs.baseline
    model = ours.model
    if image and theirs.model.image:
        model = model.model_copy(update={"image": tightest(theirs.model.image, image)})
    report = tuple(dict.fromkeys([*theirs.document.report, *ours.document.report]))
    same = {"model": model, "report": report, "tracking": named(theirs.document)}  # a change sends no keys elsewhere
    if baseline is None:  # the base compares nothing: what the change compares is its own matter
        return replace(ours, document=ours.document.model_copy(update=same))
    if isinstance(baseline, GitBaseline) and refs.follows_head(baseline.ref):
        raise Refused(
            f"the baseline's ref {baseline.ref} is counted from what is checked out: the change chooses its baseline",
            where=theirs.where("baseline", "ref"),
            hint="name a branch in full, on the base branch first: refs/remotes/origin/main",
        )
    if isinstance(baseline, GitBaseline) and refs.branch_of(baseline.ref) == _base_branch():
        baseline = baseline.model_copy(update={"ref": commit})  # the very branch, where a shallow clone knows it not
    document: Document = ours.document.model_copy(update={**same, "baseline": baseline})
    past = theirs.baseline_model
    return replace(ours, document=document, past=beside_like(past, image) if past else None)
