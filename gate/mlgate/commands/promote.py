"""A verdict's model becomes the live one, and back: what lies in the run's folder is verified and judged first."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import replace

from mlgate.adapters.github import environment
from mlgate.adapters.process import clock
from mlgate.adapters.terminal.output import tell
from mlgate.commands import baseline, track, unmerged_guard
from mlgate.commands.baseline import baseline_of
from mlgate.commands.last_verdict import verified
from mlgate.commands.run_options import RunOptions
from mlgate.config.config import Config
from mlgate.config.load import load
from mlgate.config.sections.mlflow_baseline import MlflowBaseline
from mlgate.config.sections.registry_names import is_model_name
from mlgate.core.errors import ConfigError, GateError, Refused
from mlgate.core.evidence import Evidence
from mlgate.core.identity import CURRENT_FORM
from mlgate.core.report import Report
from mlgate.core.tracking.ledger import Ledger
from mlgate.core.tracking.model_version import Candidate
from mlgate.core.tracking.record import LoggedRun
from mlgate.flow import baseline_eligibility, promotion
from mlgate.flow.judge import judge
from mlgate.flow.promotion import Approval, Promotion
from mlgate.wiring.kinds import KINDS
from mlgate.wiring.mlflow import Mlflow
from mlgate.wiring.project import Project


def run_promote(choice: RunOptions, alias: str) -> int:
    """Make the model of the verdict in the run's folder the live one. Return the exit code.

    Where the file has `deploy`, that is what the cluster serves: it is asked first.
    """
    unmerged_guard.refuse(choice.config.parent)
    config = load(choice.config)
    if config.document.deploy is not None and Mlflow.demanded(config).is_live(alias):
        from mlgate.commands.deploy import live_alias  # most of a deploy

        return live_alias.run_promote(choice)
    return promote_last(choice, alias)


def promote_last(choice: RunOptions, alias: str, serves: Callable[[], None] = lambda: None) -> int:
    """Promote the last verdict's model. Return the exit code. *serves* raises where a cluster serves another one."""
    folder = choice.folder
    with folder.held():
        project = choice.project()
        memory = Mlflow.demanded(project.config)
        evidence, report, content = verified(choice)
        verdict = hashlib.sha256(content).hexdigest()
        image = ""  # of a version that is there already
        if not _has_won(memory, verdict, alias):
            acceptable(report, evidence, project, choice)
            image = image_of(project.config) if is_here(report, project, evidence.form) else ""
        record = track.record_of(report, content, project, folder)
        recorded = memory.runs.logged(record) or memory.runs.log(record)
        done = promote(memory, report, verdict, recorded, alias, image=image, form=evidence.form, serves=serves)
        tell(sys.stdout, said(done, memory))
    return 0


def run_registry_rollback(choice: RunOptions, alias: str, to: int) -> int:
    """Give the alias back to the version before. Return the exit code."""
    unmerged_guard.refuse(choice.config.parent)  # and a change names its own server
    registry = Mlflow.demanded(load(choice.config)).registry()
    move = promotion.rollback(registry, alias=alias, now=clock.now(), to=to, link=link())
    tell(sys.stdout, f"{alias} of {registry.source} is version {move.version} again, after version {move.before}")
    return 0


def run_accept(choice: RunOptions) -> int:
    """Make the model of the verdict in the run's folder the baseline, wherever that is kept. Return the exit code."""
    unmerged_guard.refuse(choice.config.parent)
    project = choice.project()
    kept = project.config.baseline
    if isinstance(kept, MlflowBaseline) and kept.chosen_alias:
        return run_promote(choice, kept.chosen_alias)
    folder = choice.folder
    store = baseline.store_of(replace(choice, save_baseline=True), project, folder)
    with folder.held():
        evidence, report, _ = verified(choice)
        acceptable(report, evidence, project, choice)
        is_here(report, project, evidence.form)
        assert store is not None  # store_of refuses a file without a baseline
        baseline.save(store, evidence, report)
    return 0


def past(choice: RunOptions, model: str) -> tuple[str, Ledger]:
    """Return the registered model, for people, and its ledger."""
    unmerged_guard.refuse(choice.config.parent)
    if model and not is_model_name(model):
        raise ConfigError(f"{model!r} is no registered model's name", hint="mlgate history, for the file's own")
    memory = Mlflow.demanded(load(choice.config))
    registry, store = memory.registry(model), memory.place.file
    return registry.source, Ledger() if store is not None and not store.exists() else registry.ledger()


def promote(
    memory: Mlflow,
    report: Report,
    verdict: str,
    recorded: LoggedRun,
    alias: str,
    *,
    image: str = "",
    form: int = CURRENT_FORM,
    model_before: str = "",
    again: bool = True,
    serves: Callable[[], None] = lambda: None,
) -> Promotion:
    """Register the model of a verdict that is logged, and move the alias.

    *image* is where it was run from, *form* that of the evidence's digests, *model_before* the model's digest in the
    form before. Not *again*: a model that was rolled back from waits for a person. *serves*: see `promote_last`.
    """
    candidate = candidate_of(memory, report, verdict, recorded, image=image, form=form)
    return promotion.promote(
        memory.registry(),
        replace(candidate, model_before=model_before),
        alias=alias,
        now=clock.now(),
        approval=approval_of(memory),
        against=_against(memory, report, alias),
        again=again,
        serves=serves,
    )


def candidate_of(
    memory: Mlflow, report: Report, verdict: str, recorded: LoggedRun, *, image: str, form: int
) -> Candidate:
    """Return what a verdict that is logged lets become a version."""
    return Candidate(
        run=recorded.run,
        verdict=verdict,
        evidence=report.evidence,
        model=report.provenance.model,
        source=memory.section.registry.source or image or recorded.folder,
        commit=report.provenance.commit,
        link=link(),
        said=f"{report.outcome.name.lower()}: {report.reason}",
        form=form,
    )


def approval_of(memory: Mlflow) -> Approval | None:
    """Return what a person must have done, where the file asks for that."""
    given = memory.section.registry.require
    return Approval(given.tag) if given else None


def acceptable(report: Report, evidence: Evidence, project: Project, choice: RunOptions) -> None:
    """Judge the evidence again, by today's rules and baseline; raise GateError unless it still passes, alike.

    Nothing is taken from a file that the evidence does not bear out; and what was held against a champion that is not
    live any more was not held against the one that is.
    """
    again = judge(project.suite, KINDS, evidence, baseline_of(project, replace(choice, bootstrap=True)))
    baseline_eligibility.demand(report)
    baseline_eligibility.demand(again, "by today's rules, ")
    held, live = (one.baseline.digest if one.baseline else "" for one in (report, again))
    if held != live:
        raise GateError(
            f"the baseline is another one by now ({again.baseline.source if again.baseline else 'none'}): "
            "this verdict says nothing about it",
            hint="hold the model against it: mlgate check, then mlgate promote",
        )


def is_here(report: Report, project: Project, form: int) -> bool:
    """Return whether the model that was judged is here; False where none can be compared: an image that is elsewhere.

    *form* is that of the judged one's digest: a verdict of an older mlgate is compared as that one did.
    Raises Refused where another one is here.
    """
    try:
        here = project.model(form)
    except GateError:
        return False
    if here != report.provenance.model:
        raise Refused(
            "the model that is here is not the one that was judged",
            hint="judge it: mlgate check; or check out what was judged",
        )
    return True


def _has_won(memory: Mlflow, verdict: str, alias: str) -> bool:
    """Return whether the alias's last move was this very verdict's: it was held against what was live before it."""
    registry = memory.registry()
    last = registry.ledger().last(alias)
    mine = {one.number for one in registry.versions() if one.verdict == verdict}
    return last is not None and last.version in mine


def _against(memory: Mlflow, report: Report, alias: str) -> str | None:
    """Return the evidence that the verdict was held against, if that was the evidence of what *alias* points to."""
    kept = memory.config.baseline
    if not (isinstance(kept, MlflowBaseline) and kept.chosen_alias == alias and kept.model in (None, memory.model)):
        return None
    return report.baseline.digest if report.baseline else ""


def image_of(config: Config) -> str:
    """Return the URI of the image under test; empty for other models, and for one that has no name yet."""
    image = config.model.image
    if image is None or not image.ref:
        return ""
    return image_uri(image.ref)


def image_uri(ref: str) -> str:
    """Return an image's reference as the URI of a model."""
    return f"docker://{ref}" if "/" in ref else f"docker:/{ref}"  # MLflow wants a path


def command(memory: Mlflow) -> str:
    """Return the command that moves the live version's alias."""
    return "mlgate promote" if memory.alias == promotion.CHAMPION else f"mlgate promote --to {memory.alias}"


def link() -> str:
    """Return the CI run's page; empty at a desk."""
    run = environment.here()
    return run.url if run else ""


def said(done: Promotion, memory: Mlflow) -> str:
    """Return what a promotion came to, for people."""
    name, number = memory.registry().source, done.version.number
    lines = []
    if done.completed is not None:
        one = done.completed
        lines.append(f"completed: {one.alias} to version {one.version}, begun at {one.at} and cut off")
    if done.move is None:
        lines.append(f"version {number} of {name} is {done.alias}")
    else:
        after = f", after version {done.move.before}" if done.move.before else ""
        lines.append(f"version {number} of {name} is {done.alias}{after}")
    return "\n".join(lines)
