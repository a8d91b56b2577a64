"""The doctor on memory: whether MLflow answers, what waits to be logged, and promotions that were cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from mlgate.adapters.files.pending_folder import PENDING, PendingFolder
from mlgate.adapters.files.run_folder import FOLDER_NAME
from mlgate.commands.doctor_finding import DoctorFinding
from mlgate.core.errors import GateError
from mlgate.core.ports import Registry
from mlgate.core.tracking.ledger import NO_VERSION, Ledger
from mlgate.core.tracking.model_version import Version
from mlgate.flow.promotion import CANDIDATE, CHAMPION
from mlgate.wiring.mlflow import Mlflow
from mlgate.wiring.project import Project


def examine(project: Project) -> Iterator[DoctorFinding]:
    """Yield what is found; nothing is made and nothing mended."""
    memory = project.memory
    if memory is None:
        yield DoctorFinding("note", "tracking", "none configured: verdicts are not remembered", Mlflow.HINT)
        return
    if find_spec("mlflow") is None:
        yield DoctorFinding("bad", "tracking", "MLflow is not installed", "pip install 'mlgate[mlflow]'")
        return
    yield from _waiting(project.root / FOLDER_NAME / PENDING)
    store = memory.place.file
    if store is not None and not store.exists():
        yield DoctorFinding("note", "tracking", f"{memory.place.shown} is made by the first run that is logged")
        return
    follows = project.config.document.deploy is not None
    try:
        found = tuple(promotions(memory.registry(), _alias(project), "mlgate deploy" if follows else "mlgate promote"))
        found += tuple(_cluster(memory)) if follows else ()
    except GateError as error:
        yield DoctorFinding("bad", "tracking", error.message, error.hint)
    else:
        yield DoctorFinding("ok", "tracking", memory.runs.source)
        yield from found


def _cluster(memory: Mlflow) -> Iterator[DoctorFinding]:
    from mlgate.commands.deploy import doctor_alias  # most of a deploy
    from mlgate.wiring.deploy import Target

    return doctor_alias.examine(memory, Target.demanded(memory.config))


def promotions(registry: Registry, alias: str, verb: str) -> Iterator[DoctorFinding]:
    """Yield where the registry stands, and what of it nobody ended. *verb* makes a version live that never was."""
    versions, ledger = registry.versions(), registry.ledger()
    live, last = registry.live(alias), ledger.last(alias)
    if not versions:
        yield DoctorFinding(
            "note", "registry", f"{registry.source}: no version yet", f"{verb}, when a model has passed"
        )
        return
    if last is not None and not last.done:
        yield DoctorFinding(
            "bad",
            "registry",
            f"a move of {alias} to version {last.version} was begun at {last.at} and cut off: "
            f"{alias} is {_number(live)}",
            "mlgate promote completes it",
        )
    elif live != ledger.live(alias):
        yield DoctorFinding(
            "note",
            "registry",
            f"somebody moved {alias} by hand: it is {_number(live)}, and the ledger says {_number(ledger.live(alias))}",
            "the next mlgate promote or rollback takes it down; mlgate history shows the moves",
        )
    else:
        yield DoctorFinding(
            "ok",
            "registry",
            f"{registry.source}: {len(versions):,} version{'s'[: len(versions) > 1]}, {alias} is {_number(live)}",
        )
    yield from _unfinished_promotion(registry, versions, ledger, alias, verb)


def _unfinished_promotion(
    registry: Registry, versions: Sequence[Version], ledger: Ledger, alias: str, verb: str
) -> Iterator[DoctorFinding]:
    """Yield a version that was registered last and never went live: cut off, or waiting for a person."""
    newest = max((one for one in versions if one.verdict), key=lambda one: one.number, default=None)
    moved = {move.version for move in ledger.of(alias)}
    if newest is None or newest.number in moved:
        return
    if registry.live(CANDIDATE) == newest.number:
        said, hint = (
            f"version {newest.number} is {CANDIDATE} and was never {alias}",
            f"when it should be: {verb}",
        )
        yield DoctorFinding("note", "registry", said, hint)
    else:
        said = f"version {newest.number} was registered and no alias ever came to it: its promotion was cut off"
        yield DoctorFinding("bad", "registry", said, f"{verb} completes it")


def _waiting(folder: Path) -> Iterator[DoctorFinding]:
    waiting = len(PendingFolder(folder).keys())
    if waiting:
        yield DoctorFinding("bad", "tracking", f"{waiting} verdicts wait to be logged, in {folder}", "mlgate sync")


def _alias(project: Project) -> str:
    kept = project.config.baseline
    return (getattr(kept, "chosen_alias", None) or CHAMPION) if kept else CHAMPION


def _number(version: int) -> str:
    return "none" if version == NO_VERSION else f"version {version}"
