"""The champion in MLflow's registry is what the cluster serves: after a rollout, after a rollback, and on demand."""

from __future__ import annotations

import hashlib
import sys
from functools import partial

from mlgate.adapters.process import clock
from mlgate.adapters.terminal.output import tell
from mlgate.commands import promote, track
from mlgate.commands.last_verdict import verified
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.release import Release, ServiceRecord
from mlgate.core.errors import EvidenceError, GateError, Refused
from mlgate.core.evidence import Evidence
from mlgate.core.report import Report
from mlgate.flow import baseline_eligibility, promotion
from mlgate.flow.baseline_eligibility import Ineligible
from mlgate.flow.deploy import alias as flow
from mlgate.flow.deploy.alias import AliasTools, NoVersion
from mlgate.flow.promotion import NotApproved, Promotion
from mlgate.wiring.deploy import Target
from mlgate.wiring.mlflow import Mlflow

_SHORT = 12
NOT_DONE = 3


def register_ahead(target: Target, choice: RunOptions, release: Release) -> None:
    """Make a release's verdict a version before its rollout begins: whoever ends that needs no files then.

    No alias moves but `candidate`. What keeps it from being registered is told; the end of the rollout tries again.
    """
    memory = Mlflow.of(target.config)
    if memory is None:
        return
    try:
        if not any(one.verdict == release.verdict for one in memory.registry().versions()):
            _register(memory, choice, release)
    except Ineligible:
        pass  # it is told when the rollout has ended
    except GateError as error:
        tell(sys.stderr, f"mlgate: notice: the model is not registered in MLflow yet: {error}")


def follow(target: Target, choice: RunOptions) -> int:
    """Let the alias name what serves, after a rollout or where one before was cut off. Return the exit code.

    That is 0, whatever MLflow does: the rollout is over; or 3, where `required: true` and the alias could not be moved.
    """
    memory = Mlflow.of(target.config)
    if memory is None:
        return 0
    try:
        done = flow.follow(_tools(memory, target, choice))
    except (NotApproved, Ineligible) as error:
        tell(sys.stderr, f"mlgate: notice: {memory.alias} stays what it is: {error}")
        return 0
    except GateError as error:
        says = f"{memory.alias} does not name what {target.section.service} serves yet: {error}"
        tell(sys.stderr, f"mlgate: warning: {says}\n  next: {promote.command(memory)}")
        return NOT_DONE if memory.section.required else 0
    if done is not None and (done.move is not None or done.completed is not None):
        tell(sys.stdout, promote.said(done, memory))
    return 0


def run_promote(choice: RunOptions) -> int:
    """Let the alias name what the cluster serves, by the last verdict's files where they are of that. Return 0.

    Raises Refused where the last verdict is of another model, and GateError where the cluster cannot be asked.
    """
    config = load(choice.config)
    target, memory = Target.demanded(config), Mlflow.demanded(config)
    served, here = _demanded(target, memory), _last(choice)
    if here is not None and _digest(here) != served.verdict and here[1].provenance.model == served.model:
        return promote.promote_last(choice, memory.alias, partial(_demand_same, target, memory, served))
    is_other = here is not None and _digest(here) != served.verdict
    try:
        done = flow.follow(_tools(memory, target, choice))
    except (NoVersion, Ineligible):
        if not is_other:
            raise
        done = None
    if here is not None and is_other and (done is None or (done.move is None and done.completed is None)):
        raise _other(target, memory, served, _digest(here))
    assert done is not None  # _demanded has seen what serves
    tell(sys.stdout, promote.said(done, memory))
    if is_other:
        says = f"{memory.alias} is what {target.section.service} serves; the last verdict here is of another model"
        tell(sys.stderr, f"mlgate: notice: {says}\n  next: to make that one {memory.alias}, mlgate deploy")
    return 0


def run_back(choice: RunOptions) -> int:
    """Let the alias follow a service that went back. Return 0; raises GateError where the alias stays."""
    config = load(choice.config)
    target, memory = Target.demanded(config), Mlflow.demanded(config)
    service, stays = target.section.service, f"{memory.alias} of {memory.registry().source} stays what it is"
    try:
        done = flow.follow(_tools(memory, target, choice), is_rollback=True)
    except GateError as error:
        hint = error.hint if isinstance(error, NoVersion) else promote.command(memory)
        raise GateError(f"{service} went back, and {stays}: {error.message}", hint=hint) from error
    if done is None:
        raise GateError(
            f"{service} went back to a model that mlgate did not judge, and {stays}",
            hint="what was live when? mlgate history",
        )
    tell(sys.stdout, _went_back(done, memory))
    return 0


def is_completed(choice: RunOptions) -> bool:
    """Complete the alias's part of a rollback that was cut off after the cluster's. Return whether there was one."""
    config = load(choice.config)
    target, memory = Target.demanded(config), Mlflow.demanded(config)
    done = flow.follow(_tools(memory, target, choice))
    if done is None or done.move is None:
        return False
    is_rollback = done.move.kind == "rolled back"
    tell(sys.stdout, _went_back(done, memory) if is_rollback else promote.said(done, memory))
    return is_rollback


def demand_serves(choice: RunOptions, number: int) -> str:
    """Raise Refused for a version that the cluster does not serve; else return the alias that may name it."""
    config = load(choice.config)
    target, memory = Target.demanded(config), Mlflow.demanded(config)
    served = _demanded(target, memory)
    if number not in {one.number for one in flow.of_release(memory.registry().versions(), served)}:
        raise Refused(
            f"{target.section.service} does not serve version {number}: it serves the verdict {_short(served.verdict)}",
            hint="mlgate rollback goes to the model before, on the cluster too; another one is deployed: mlgate deploy",
        )
    return memory.alias


def _tools(memory: Mlflow, target: Target, choice: RunOptions) -> AliasTools:
    return AliasTools(
        alias=memory.alias,
        registry=memory.registry(),
        served=partial(_asked, target, memory),
        now=clock.now,
        register=partial(_register, memory, choice),
        approval=promote.approval_of(memory),
        link=promote.link(),
    )


def _asked(target: Target, memory: Mlflow) -> ServiceRecord:
    """Return the cluster's record. Without it nothing is moved."""
    try:
        return target.records().load()
    except GateError as error:
        service, says = target.section.service, f"and what it serves is not known: {error}"
        raise GateError(f"{memory.alias} follows {service} on the cluster, {says}", hint="mlgate status") from error


def _demanded(target: Target, memory: Mlflow) -> Release:
    record = _asked(target, memory)
    served = flow.judged(record)
    if served is None:
        what = "a model that mlgate did not judge" if record.accepted is not None else "no model yet"
        raise Refused(
            f"{target.section.service} serves {what}: {memory.alias} moves when the cluster has confirmed",
            hint="mlgate status" if record.is_under_way else "mlgate deploy",
        )
    return served


def _demand_same(target: Target, memory: Mlflow, served: Release) -> None:
    if _demanded(target, memory).model != served.model:
        raise GateError(f"{target.section.service} serves another model by now", hint="mlgate status")


def _other(target: Target, memory: Mlflow, served: Release, digest: str) -> Refused:
    record = _asked(target, memory)
    candidate = record.candidate.release.verdict if record.candidate and record.is_under_way else ""
    says = f"{target.section.service} serves the verdict {_short(served.verdict)}, and this one is {_short(digest)}"
    if candidate == digest:
        return Refused(
            f"{says}, whose rollout is under way: {memory.alias} moves when the cluster has confirmed",
            hint="wait for its end: mlgate status",
        )
    return Refused(f"{says}: {memory.alias} moves when the cluster has confirmed", hint="mlgate deploy")


def _last(choice: RunOptions) -> tuple[Evidence, Report, bytes] | None:
    """Return the last verdict with its files; None where no run came to one here."""
    try:
        return verified(choice)
    except EvidenceError:
        return None


def _digest(here: tuple[Evidence, Report, bytes]) -> str:
    return hashlib.sha256(here[2]).hexdigest()


def _register(memory: Mlflow, choice: RunOptions, release: Release) -> None:
    """Log the last verdict and make it a version, where it is the release's.

    Nothing is judged again: what serves has passed the cluster's judge since. Raises Ineligible for a verdict that was
    let through with a warning and is worse: it may serve, and nothing is held against it.
    """
    here = _last(choice)
    if here is None or _digest(here) != release.verdict:
        if memory.runs.may_be_baseline(release.verdict) is False:
            raise Ineligible("the verdict that serves may not become the baseline: a comparison does not pass")
        return
    evidence, report, content = here
    baseline_eligibility.demand(report)
    folder = choice.folder
    with folder.held():
        record = track.record_of(report, content, choice.project(), folder)
        recorded = memory.runs.logged(record) or memory.runs.log(record)
    image = promote.image_uri(release.image)
    candidate = promote.candidate_of(memory, report, release.verdict, recorded, image=image, form=evidence.form)
    promotion.register(memory.registry(), candidate)


def _went_back(done: Promotion, memory: Mlflow) -> str:
    if done.move is None:
        return promote.said(done, memory)
    says = f"{done.alias} of {memory.registry().source} is version {done.version.number} again"
    return f"{says}, after version {done.move.before}" if done.move.before else says


def _short(verdict: str) -> str:
    return verdict[:_SHORT]
