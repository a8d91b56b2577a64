"""Whose rules judge a change: the base branch's, read from git, joined with what the change adds."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters.git import base_commit, base_data, refs
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.adapters.git.base_data import OtherData
from mlgate.config import load
from mlgate.config.config import Config
from mlgate.config.sections.document import Document, GitBaseline
from mlgate.core.check import Check
from mlgate.core.errors import ConfigError, GateError, Refused
from mlgate.core.rule_change import Direction, Policy, RuleChange
from mlgate.flow import base_rules as flow
from mlgate.wiring import base_choice, base_files, base_question
from mlgate.wiring.base_choice import BaseOptions
from mlgate.wiring.base_sections import beside_like, named, sections, tightest

ReadChecks = Callable[[Config], Sequence[Check]]


@dataclass(frozen=True, slots=True)
class Binding:
    """Whose rules judge, and what the change under test has a say in."""

    policy: Policy | None = None
    """Whose rules they are and how the change edits them; None where they are this checkout's own."""
    base: BaseCommit | None = None
    """The commit whose rules bind; None where they are this checkout's own."""
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


def bound(config: Config, options: BaseOptions, read: ReadChecks) -> Bound:
    """Join the rules of *config* with those of the base, whose data and tests are read from there, too.

    Raises Refused where the base says `ratchet: refuse` and the change loosens a rule; AdapterError where the base's
    rules cannot be had: a change is never judged by its own rules for want of better ones.
    """
    base = base_choice.commit_of(config.root, options.ref)
    if base is None:
        binding = Binding(notice=base_choice.own_rules(options.ref), approved=options.approved)
        return Bound(config, tuple(read(config)), binding)
    base_commit.refuse_links(config.root.absolute())
    with tempfile.TemporaryDirectory(prefix="mlgate-base-") as folder:
        theirs = _config_at(config, base)
        if theirs is None:
            return _first(config, options, read, base)
        theirs, replaced = _with_data(theirs, base, Path(os.path.realpath(folder)), approved=options.approved)
        checks, changes = flow.joined(_read_base(theirs, read, base), read(config))
    own_model = base_question.is_its_own(theirs, config, base)
    copies = base_question.of_answers(config, checks) if own_model else ()
    edits = [*replaced, *changes, *sections(theirs, config), *copies, *base_files.edits(config, theirs, base)]
    changes = flow.ordered(edits)
    _refuse(theirs, changes, approved=options.approved)
    binding = Binding(
        Policy(f"base {base.short}", changes),
        base=base,
        own_baseline=theirs.baseline is None,
        names_its_model=own_model,
        approved=options.approved,
        ratchet=theirs.document.ratchet == "refuse" and not options.approved,
    )
    return Bound(_joined_config(theirs, config, base), checks, binding)


def _config_at(config: Config, base: BaseCommit) -> Config | None:
    """Return the base's configuration; None when it has none."""
    name = config.path.name
    text = base.text(name)
    if text is None:
        return None
    shown = f"{config.path}@{base.short}"
    try:
        return load.parse(text, shown, config.root)
    except ConfigError as error:
        hint = "mend mlgate.yaml on the base branch first"
        raise GateError(f"the base's rules cannot be used: {error}", where=shown, hint=hint) from error


def _with_data(
    theirs: Config, base: BaseCommit, folder: Path, *, approved: bool
) -> tuple[Config, tuple[RuleChange, ...]]:
    """Return the base's configuration with its data beside it under *folder*, and where the change's stand in for them.

    That is where the change moved a pointer of DVC or Git LFS, the base's content is not here, and a person approved.
    """
    there, other = base_data.place(base, base_files.paths(theirs), folder, instead=approved)
    if other and not approved:
        _refuse(theirs, [_stands_in(one) for one in other], approved=False)
        raise other[0].error
    return replace(theirs, root=there), tuple(_stands_in(one) for one in other)


def _stands_in(other: OtherData) -> RuleChange:
    return RuleChange(Direction.QUESTION, f"the data {other.path}: {other.what}, and the base's are not here")


def _first(config: Config, options: BaseOptions, read: ReadChecks, base: BaseCommit) -> Bound:
    if not options.bootstrap:
        raise GateError(
            f"the base {base.short} has no {config.path.name}: there are no rules but the change's own",
            where=str(config.path),
            hint="for the change that brings the gate: mlgate check --bootstrap (input `bootstrap: true`)",
        )
    changes = [
        RuleChange(Direction.DIFFERENT, f"the base has no {config.path.name} yet: judged by the change's own rules")
    ]
    policy = Policy(f"this change, for base {base.short} has none", (*changes, *base_files.own_baseline(config, base)))
    binding = Binding(policy, base=base, own_baseline=True, approved=options.approved)
    return Bound(config, tuple(read(config)), binding)


def _read_base(theirs: Config, read: ReadChecks, base: BaseCommit) -> Sequence[Check]:
    try:
        return read(theirs)
    except GateError as error:
        place = error.where.removeprefix(f"{theirs.root}/")  # of a file that lay in a folder that is gone by now
        hint = f"mend it on the base branch first; look at it: git show {base.short}"
        raise GateError(f"the base's rules cannot be used: {error.message}", where=place, hint=hint) from error


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


def _joined_config(theirs: Config, ours: Config, base: BaseCommit) -> Config:
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
    if isinstance(baseline, GitBaseline) and base.branch and refs.branch_of(baseline.ref) == base.branch:
        baseline = baseline.model_copy(update={"ref": base.id})  # the very branch, where a shallow clone knows it not
    document: Document = ours.document.model_copy(update={**same, "baseline": baseline})
    past = theirs.baseline_model
    return replace(ours, document=document, past=beside_like(past, image) if past else None)
