"""The doctor: everything a run needs, looked at one by one, with what to do about each."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from mlgate import __version__
from mlgate.adapters import environment, git
from mlgate.core.check import Check
from mlgate.core.errors import ConfigError, GateError
from mlgate.core.groups import counted, groups_of
from mlgate.core.identity import FORM
from mlgate.core.ports import Failure
from mlgate.core.row import quoted
from mlgate.core.statistics import FEWEST_PAIRS
from mlgate.flow.check import look_up
from mlgate.flow.scoring import other_data
from mlgate.wiring import doctor_memory
from mlgate.wiring.data import dataset
from mlgate.wiring.examined import Examined
from mlgate.wiring.project import Project, tests

_EXTRAS = {
    "pyarrow": "mlgate[parquet]: Parquet data",
    "datasets": "mlgate[datasets]: Hugging Face data",
    "MeCab": "mlgate[ja]: BLEU of Japanese",
    "docker": "mlgate[docker]: models in images",
    "grpc": "mlgate[grpc]: load over gRPC",
    "mlflow": "mlgate[mlflow]: memory of verdicts",
}

_FIELDS = 3
"""Fields that may be groups, of those with the most values: more are no advice."""


def examine(path: Path, *, ask: bool) -> Iterator[Examined]:
    """Yield what was found, in the order in which a run would need it. Stops where nothing further can be known."""
    here = environment.observe()
    yield Examined("ok", "mlgate", f"{__version__}, Python {here.python}, {here.platform}, {here.cpu}")
    versions = ", ".join(f"{name} {version}" for name, version in here.versions if name != "mlgate")
    yield Examined("ok", "scoring", versions)
    absent = [what for module, what in _EXTRAS.items() if find_spec(module) is None]
    if absent:
        yield Examined("note", "extras", f"not installed: {'; '.join(absent)}")
    try:
        project = Project.load(path)
    except GateError as error:
        for one in (error, *(error.more if isinstance(error, ConfigError) else ())):
            yield Examined("bad", "config", f"{one.where}: {one.message}" if one.where else one.message, one.hint)
        return
    yield from _data(project)
    yield _commit(project)
    yield _baseline(project)
    yield from doctor_memory.examine(project)
    if ask:
        yield _model(project)


def _data(project: Project) -> Iterator[Examined]:
    for check in project.suite.checks:
        groups = groups_of(check.examples)
        many = counted(len(check.examples), None if groups is None else int(groups.max()) + 1)
        rules = f"{len(check.rules)} rule" if len(check.rules) == 1 else f"{len(check.rules)} rules"
        asks = f"{check.id}: {many}, {rules}, data {check.data_digest[:12]}"
        yield Examined("ok", "check", asks)
        for notice in check.notices:
            yield Examined("note", "", notice)
        yield from _groups(project, check)


def _groups(project: Project, check: Check) -> Iterator[Examined]:
    """Yield a note on each field whose values stand in several rows, where the data declares no group."""
    section = project.config.checks.get(check.id)
    if section is None or section.data is None or getattr(section.data, "group", None):
        return
    for name, values in dataset(project.config, check.id).repeating[:_FIELDS]:
        said = f"{check.id}: {quoted(name)} has {values:,} values in {len(check.examples):,} rows"
        if values < FEWEST_PAIRS and name in check.slices:
            continue
        if values < FEWEST_PAIRS:
            yield Examined("note", "groups", f"{said}: too few to compare by group, which needs {FEWEST_PAIRS}")
        else:
            hint = f"if rows of one value are of one document, speaker or conversation: data: {{group: {name}}}"
            yield Examined("note", "groups", said, hint)


def _commit(project: Project) -> Examined:
    commit = git.commit(project.root)
    if not commit:
        return Examined("note", "git", "not a git repository: verdicts will name no commit")
    return Examined("ok", "git", commit)


def _baseline(project: Project) -> Examined:
    store = project.baseline_store()
    if project.beside:
        return Examined("ok", "baseline", f"{project.beside}: asked beside the candidate, in the same run")
    if store is None:
        return Examined("note", "baseline", "none configured: only min and max can be judged", project.BASELINE_HINT)
    try:
        found = look_up(store, first=False, bootstrap=False)
    except GateError as error:
        return Examined("bad", "baseline", str(error), error.hint)
    if found.evidence is None:
        return Examined("note", "baseline", found.why)
    why = next((why for check in project.suite.checks if (why := other_data(check, found.evidence))), "")
    if why:
        hint = "get the data or the baseline back, or accept a new one: mlgate check --bootstrap --save-baseline"
        return Examined("bad", "baseline", f"{store.source}: {why}", hint)
    commit = found.evidence.provenance.commit[:12] or "no commit"
    older = "" if found.evidence.form == FORM else ", written by an older mlgate: it is read as it is"
    return Examined("ok", "baseline", f"{store.source}: {len(found.evidence.rows):,} rows of {commit}{older}")


def _model(project: Project) -> Examined:
    check = _asked(project)
    if check is None:
        return Examined("note", "model", "no check asks it")
    example = check.examples[0]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mlgate-") as logs,
            contextlib.closing(project.sides(Path(logs))) as sides,
            contextlib.closing(sides.model(baseline=False)) as model,
        ):
            answer = next(iter(model.answer([example])))
    except GateError as error:
        return Examined("bad", "model", str(error), error.hint)
    if isinstance(answer, Failure):
        return Examined("bad", "model", f"{example.id}: {answer.why}", "see what the model itself says")
    return Examined("ok", "model", f"{example.id}: answered {len(answer):,} characters")


def _asked(project: Project) -> Check | None:
    return next((check for check in project.suite.checks if check.examples and not tests(check)), None)
