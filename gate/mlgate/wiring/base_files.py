"""The files that bear on a verdict: which ones the rules name, and which of them a change edits."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from mlgate.adapters.git import test_dependencies
from mlgate.adapters.git.base_commit import BaseCommit, FileOrigin
from mlgate.config.config import Config
from mlgate.config.sections.check import RecordedCheck
from mlgate.config.sections.data import Data, DatasetData, FileData, LinesData
from mlgate.config.sections.document import FileBaseline
from mlgate.core.rule_change import Direction, RuleChange
from mlgate.wiring import evidence_source

_MOST_FILES_LISTED = 15
"""Files around tests that are told one by one."""


def paths(config: Config) -> Iterator[str]:
    """Yield the files and folders that the checks read: data, and the user's tests."""
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


def edits(ours: Config, theirs: Config, base: BaseCommit) -> Iterator[RuleChange]:
    """Yield the files that bear on the verdict and that the change edits, where their content is not compared."""
    for name, check in theirs.checks.items():
        if isinstance(check, RecordedCheck):
            for path in dict.fromkeys(path.split("::")[0] for path in check.tests):
                if not base.is_same(path):
                    yield RuleChange(Direction.EFFECTIVE, f"{name}: the tests in {path} are edited, and run as edited")
            yield from _around(ours, theirs, base, name, check)
    for path in _trusted(theirs):
        if not base.is_same(path):
            said = f"the trusted key {path} is edited: a deploy believes the new one once this is merged"
            yield RuleChange(Direction.DIFFERENT, said)
    kept = theirs.baseline
    if kept is None:
        yield from own_baseline(ours, base)
    elif isinstance(kept, FileBaseline) and evidence_source.is_edited(base, kept.path):
        yield RuleChange(Direction.DIFFERENT, f"the baseline {kept.path} is edited: the base's is used")


def _trusted(config: Config) -> Iterator[str]:
    """Yield the files by which a deploy tells whose attestation it believes."""
    section = config.document.trust
    if section is not None:
        yield from (*section.keys, *([section.root] if section.root else ()))


def own_baseline(ours: Config, base: BaseCommit) -> Iterator[RuleChange]:
    """Yield that the first baseline comes with the change: no rule of the base compares, so it can only block more."""
    kept = ours.baseline
    if isinstance(kept, FileBaseline) and base.origin(kept.path) is FileOrigin.CHANGE:
        said = f"the first baseline {kept.path} comes with this change: the next ones are held against it"
        yield RuleChange(Direction.TIGHTER, said, ours.where("baseline"))


def _around(ours: Config, theirs: Config, base: BaseCommit, name: str, check: RecordedCheck) -> Iterator[RuleChange]:
    """Yield the edits of what a check's tests import, of what pytest reads for them, and of data beside them."""
    python = theirs.model.python
    model = posixpath.join(python.path, python.target.partition(":")[0].replace(".", "/")) if python else ""
    known = [ours.path.name, *(path for config in (theirs, ours) for path in paths(config))]
    tests = [path.split("::")[0] for path in check.tests if not posixpath.isabs(path)]
    found = [*test_dependencies.edits(base, tests, model=model, known=known)]
    for edit in found[:_MOST_FILES_LISTED]:
        yield RuleChange(Direction.EFFECTIVE, f"{name}: {edit.path} is {edit.how}, and its tests use it as it is here")
    if len(found) > _MOST_FILES_LISTED:
        more = f"{name}: {len(found) - _MOST_FILES_LISTED:,} more files that its tests use are edited"
        yield RuleChange(Direction.EFFECTIVE, more)
