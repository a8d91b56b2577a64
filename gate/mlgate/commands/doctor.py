"""The doctor: everything a run needs, looked at one by one, with what to do about each."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from mlgate import __version__
from mlgate.adapters.data.field_values import quoted
from mlgate.adapters.git import repository
from mlgate.adapters.process import hardware
from mlgate.commands import doctor_mlflow
from mlgate.commands.baseline import use_of
from mlgate.commands.doctor_finding import DoctorFinding
from mlgate.core.check import Check
from mlgate.core.errors import ConfigError, GateError
from mlgate.core.groups import counted, groups_of
from mlgate.core.identity import CURRENT_FORM
from mlgate.core.ports import Failure, text_of
from mlgate.core.stats.jackknife import FEWEST_PAIRS
from mlgate.flow.check import look_up
from mlgate.flow.fitting import Unfit, fit
from mlgate.flow.paired_baseline import asked
from mlgate.wiring import models
from mlgate.wiring.data import dataset
from mlgate.wiring.executors import model_pair
from mlgate.wiring.kinds import tests
from mlgate.wiring.project import Project

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


def examine(path: Path, *, ask: bool) -> Iterator[DoctorFinding]:
    """Yield what was found, in the order in which a run would need it. Stops where nothing further can be known."""
    here = hardware.observe()
    yield DoctorFinding("ok", "mlgate", f"{__version__}, Python {here.python}, {here.platform}, {here.cpu}")
    versions = ", ".join(f"{name} {version}" for name, version in here.versions if name != "mlgate")
    yield DoctorFinding("ok", "scoring", versions)
    absent = [what for module, what in _EXTRAS.items() if find_spec(module) is None]
    if absent:
        yield DoctorFinding("note", "extras", f"not installed: {'; '.join(absent)}")
    try:
        project = Project.load(path)
    except GateError as error:
        for one in (error, *(error.more if isinstance(error, ConfigError) else ())):
            yield _bad("config", one)
        return
    yield from _data(project)
    yield _commit(project)
    yield _beside(project, ask=ask) if project.beside else _baseline(project)
    yield from doctor_mlflow.examine(project)
    if unseen := models.unseen(project.config.model, project.root):
        yield DoctorFinding("note", "variables", unseen.partition("; ")[0], unseen.partition("; ")[2])
    if ask:
        yield _model(project)


def _data(project: Project) -> Iterator[DoctorFinding]:
    for check in asked(project.suite):
        groups = groups_of(check.examples)
        many = counted(len(check.examples), None if groups is None else int(groups.max()) + 1)
        asks = f"{check.id}: {many}, {_rules(project, check)}, data {check.data_digest[:12]}"
        yield DoctorFinding("ok", "check", asks)
        for notice in check.notices:
            yield DoctorFinding("note", "", notice)
        yield from _groups(project, check)


def _rules(project: Project, check: Check) -> str:
    """Return how many rules are written, and which one mlgate adds to them: its place is the check's, not its own."""
    whole = project.config.where("checks", check.id)
    written = [rule for rule in check.rules if rule.where != whole]
    said = f"{len(written)} rule" if len(written) == 1 else f"{len(written)} rules"
    return said if len(written) == len(check.rules) else f"{said} and one by itself: no request may fail"


def _groups(project: Project, check: Check) -> Iterator[DoctorFinding]:
    """Yield a note on each field whose values stand in several rows, where the data declares no group."""
    section = project.config.checks.get(check.id)
    if section is None or section.data is None or getattr(section.data, "group", None):
        return
    for name, values in dataset(project.config, check.id).repeating[:_FIELDS]:
        said = f"{check.id}: {quoted(name)} has {values:,} values in {len(check.examples):,} rows"
        if values < FEWEST_PAIRS and name in check.slices:
            continue
        if values < FEWEST_PAIRS:
            yield DoctorFinding("note", "groups", f"{said}: too few to compare by group, which needs {FEWEST_PAIRS}")
        else:
            hint = f"if rows of one value are of one document, speaker or conversation: data: {{group: {name}}}"
            yield DoctorFinding("note", "groups", said, hint)


def _commit(project: Project) -> DoctorFinding:
    commit = repository.commit(project.root)
    if not commit:
        return DoctorFinding("note", "git", "not a git repository: verdicts will name no commit")
    return DoctorFinding("ok", "git", commit)


def _baseline(project: Project) -> DoctorFinding:
    store = project.baseline_store()
    if store is None:
        return DoctorFinding(
            "note", "baseline", "none configured: only min and max can be judged", project.BASELINE_HINT
        )
    try:
        found = look_up(store, first=False, bootstrap=False)
    except GateError as error:
        return _bad("baseline", error)
    if found.evidence is None:
        return DoctorFinding("note", "baseline", found.why)
    fits = (fit(check, found.evidence, use_of(project)) for check in project.suite.checks)
    if (unfit := next((one for one in fits if isinstance(one, Unfit)), None)) is not None:
        hint = "get the data or the baseline back, or accept a new one: mlgate check --bootstrap --save-baseline"
        if unfit.moved:
            hint = (
                "write `compare: common` under baseline, or accept a new one: mlgate check --bootstrap --save-baseline"
            )
        return DoctorFinding("bad", "baseline", f"{store.source}: {unfit.why}", hint)
    commit = found.evidence.provenance.commit[:12] or "no commit"
    older = "" if found.evidence.form == CURRENT_FORM else ", written by an older mlgate: it is read as it is"
    return DoctorFinding("ok", "baseline", f"{store.source}: {len(found.evidence.rows):,} rows of {commit}{older}")


def _beside(project: Project, *, ask: bool) -> DoctorFinding:
    """Return what a baseline's own model answers, which a run asks as it asks the candidate's."""
    checks = ", ".join(check.baseline_of for check in project.suite.checks if check.baseline_of)
    if not checks:
        said = f"{project.beside}: no rule compares with it, so it is not asked"
        return DoctorFinding("note", "baseline", said, "write max_drop or max_rise")
    who = f"{project.beside}, for {checks}"
    if not ask:
        return DoctorFinding("note", "baseline", f"{who}: not asked")
    found = _model(project, baseline=True)
    hint = "see whether the baseline's model runs there, and what it says" if found.state == "bad" else ""
    return replace(found, what="baseline", said=f"{who}: {found.said}", hint=found.hint or hint)


def _model(project: Project, *, baseline: bool = False) -> DoctorFinding:
    check = _check_to_ask(project, baseline=baseline)
    if check is None:
        return DoctorFinding("note", "model", "no check asks it")
    example = check.examples[0]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mlgate-") as logs,
            contextlib.closing(model_pair(project, Path(logs))) as sides,
            contextlib.closing(sides.model(baseline=baseline)) as model,
        ):
            answer = next(iter(model.answer([example])))
    except GateError as error:
        return _bad("model", error)
    if isinstance(answer, Failure):
        hint = "" if baseline else "see what the model itself says"
        return DoctorFinding("bad", "model", f"{example.id}: {answer.why}", hint)
    return DoctorFinding("ok", "model", f"{example.id}: answered {_characters(text_of(answer))}")


def _characters(text: str) -> str:
    return f"{len(text):,} character{'' if len(text) == 1 else 's'}"


def _bad(what: str, error: GateError) -> DoctorFinding:
    said = f"{error.where}: {error.message}" if error.where else error.message
    return DoctorFinding("bad", what, said, error.hint, error.exit_code)


def _check_to_ask(project: Project, *, baseline: bool) -> Check | None:
    checks = (check for check in project.suite.checks if bool(check.baseline_of) is baseline)
    return next((check for check in checks if check.examples and not tests(check)), None)
