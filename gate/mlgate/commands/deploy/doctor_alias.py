"""The doctor on the alias and the cluster: are they of one model? Where they are not: which crash explains it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from mlgate.commands import promote
from mlgate.commands.doctor_finding import DoctorFinding
from mlgate.core.deploy.release import Release, ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.errors import GateError
from mlgate.core.tracking.ledger import NO_VERSION, Move
from mlgate.core.tracking.model_version import Version
from mlgate.flow.deploy import alias as flow
from mlgate.wiring.deploy import Target
from mlgate.wiring.mlflow import Mlflow

_SHORT = 12


def examine(memory: Mlflow, target: Target) -> Iterator[DoctorFinding]:
    """Yield whether the alias names what the cluster serves; nothing is moved."""
    service, alias = target.section.service, memory.alias
    try:
        record = target.records().load()
    except GateError as error:
        yield DoctorFinding("note", "cluster", f"what {service} serves is not known: {error.message}", error.hint)
        return
    release = flow.judged(record)
    if release is None:
        what = "a model that mlgate did not judge" if record.accepted is not None else "no model yet"
        says = f"{service} serves {what}: {alias} moves when the cluster has confirmed"
        yield DoctorFinding("note", "cluster", says, "mlgate deploy")
        return
    registry = memory.registry()
    versions, ledger = registry.versions(), registry.ledger()
    live, serves = ledger.live(alias), f"{service} serves the verdict {release.verdict[:_SHORT]}{_since(record)}"
    if live in {one.number for one in flow.of_release(versions, release)}:
        yield DoctorFinding("ok", "cluster", f"{serves}: {alias} is version {live}, of that model")
        return
    says = f"{serves}; {_names(alias, live, versions)}"
    yield _explained(memory, record, versions, ledger.of(alias), says=says)


def _explained(
    memory: Mlflow,
    record: ServiceRecord,
    versions: Sequence[Version],
    moves: Sequence[Move],
    *,
    says: str,
) -> DoctorFinding:
    """Say why the alias does not name what serves, and what completes it."""
    release, command = flow.judged(record), promote.command(memory)
    assert release is not None
    version = flow.named(versions, moves, release)
    if version is None:
        return _unregistered(memory, release, versions, says)
    approval = promote.approval_of(memory)
    was_live = any(move.version == version.number for move in moves)
    if approval is not None and not was_live and not version.tags.get(approval.tag, "").strip():
        hint = f"set the tag {approval.tag} on version {version.number} in MLflow, then: {command}"
        return DoctorFinding("note", "cluster", f"{says}. Version {version.number} waits for approval", hint)
    if was_live and record.previous is None:
        why = "the cluster went back, and the process ended before the alias did"
    else:
        why = "the cluster had confirmed the promotion, and the process ended before the alias moved"
    return DoctorFinding("bad", "cluster", f"{says}. So {why}", f"{command} moves it to version {version.number}")


def _unregistered(memory: Mlflow, release: Release, versions: Sequence[Version], says: str) -> DoctorFinding:
    if flow.of_release(versions, release):
        why = "A version of another verdict on the model that serves was registered, and was never live"
        return DoctorFinding("bad", "cluster", f"{says}. {why}", f"mlgate check, then {promote.command(memory)}")
    if memory.runs.may_be_baseline(release.verdict) is False:
        why = "That verdict may serve and not become the baseline: a comparison does not pass"
        return DoctorFinding(
            "note", "cluster", f"{says}. {why}", "the next model that passes and is deployed becomes it"
        )
    why = "So the process ended, or MLflow was down, before the model was registered"
    hint = f"{promote.command(memory)}, where the files of that verdict are; or mlgate deploy there"
    return DoctorFinding("bad", "cluster", f"{says}. {why}", hint)


def _since(record: ServiceRecord) -> str:
    if record.rollout is None or record.rollout.state.phase is not Phase.PROMOTED:
        return ""
    since = datetime.fromtimestamp(record.rollout.state.since, UTC)
    return f" since {since.strftime('%Y-%m-%d %H:%M UTC')}"


def _names(alias: str, live: int, versions: Sequence[Version]) -> str:
    if live == NO_VERSION:
        return f"{alias} names no version"
    verdict = next((one.verdict for one in versions if one.number == live), "")
    return f"{alias} is version {live}, of {f'the verdict {verdict[:_SHORT]}' if verdict else 'no known verdict'}"
