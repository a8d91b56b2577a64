"""What a change under test makes of mlgate.yaml outside of its checks: model, sandbox, baseline, ratchet."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.config.config import Config
from mlgate.config.sections.document import Document, registered_name
from mlgate.config.sections.image import SANDBOXES, Image
from mlgate.config.sections.model import ModelSection
from mlgate.config.sections.tracking import Tracking
from mlgate.core.rule_change import Direction, RuleChange
from mlgate.wiring.base_question import questions, way

_ASKED = (
    "url",
    "headers",
    "timeout",
    "retries",
    "patience",
    "max_rate",
    "concurrency",
    "batch",
    "ready_within",
    "cpus",
    "memory",
    "gpus",
)
"""How the model is run and asked: what moves the numbers without being the model."""
_RESOURCES = ("cpus", "memory", "gpus")
"""What makes a model faster without being better. Both sides of a duet have the candidate's."""


def sections(theirs: Config, ours: Config) -> Iterator[RuleChange]:
    """Yield the changes outside of the checks. That the model itself is another one is what a change is for."""
    yield from _model(theirs, ours)
    if theirs.baseline is not None and theirs.baseline != ours.baseline:
        yield RuleChange(Direction.DIFFERENT, "the baseline is another one: the base's is used", ours.where("baseline"))
    if theirs.document.tracking != ours.document.tracking:
        yield RuleChange(Direction.DIFFERENT, "the tracking is another one: the base's is used", ours.where("tracking"))
    if theirs.document.trust is not None and theirs.document.trust != ours.document.trust:
        said = "whose attestation a deploy believes is another one: that holds once this is merged"
        yield RuleChange(Direction.DIFFERENT, said, ours.where("trust"))
    if theirs.document.ratchet == "refuse" and ours.document.ratchet != "refuse":
        yield RuleChange(Direction.LOOSER, "ratchet: refuse is removed", ours.where("ratchet"))


def _model(theirs: Config, ours: Config) -> Iterator[RuleChange]:
    """Yield what bears on the numbers and is not the model itself: how it is run and asked. It is in effect."""
    yield from questions(theirs, ours)
    before = way(theirs.model)
    if before != way(ours.model):
        return
    if theirs.model.image and ours.model.image:
        yield from _sandbox(theirs.model.image, ours.model.image, ours)
    was, now = (_section_values(config.model, before) for config in (theirs, ours))
    for name in _ASKED:
        if was.get(name) != now.get(name):
            said = f"the model's {name}: {_short(was.get(name))} becomes {_short(now.get(name))}"
            yield RuleChange(Direction.EFFECTIVE, said, ours.where("model", before, name))


def _section_values(model: ModelSection, kind: str) -> dict[str, object]:
    found: dict[str, object] = getattr(model, kind).model_dump(mode="json")
    return found


def _short(value: object) -> str:
    return "nothing" if value is None else str(value)[:60]


def _sandbox(before: Image, after: Image, ours: Config) -> Iterator[RuleChange]:
    if SANDBOXES.index(after.sandbox) > SANDBOXES.index(before.sandbox):
        said = f"the sandbox {before.sandbox} becomes {after.sandbox}"
        yield RuleChange(Direction.LOOSER, said, ours.where("model", "image", "sandbox"))
    if after.tmp_exec and not before.tmp_exec:
        yield RuleChange(Direction.LOOSER, "files in /tmp may be executed", ours.where("model", "image", "tmp_exec"))


def named(document: Document) -> Tracking | None:
    """Return the tracking with every name written out that the file leaves to its model: a change may rename that."""
    if document.tracking is None:
        return None
    mlflow = document.tracking.mlflow
    names = {"name": registered_name(document)}
    said = {
        "experiment": mlflow.experiment or document.model.name,
        "registry": mlflow.registry.model_copy(update=names),
    }
    return document.tracking.model_copy(update={"mlflow": mlflow.model_copy(update=said)})


def tightest(before: Image, after: Image) -> Image:
    """Return the change's image in the tighter of the two sandboxes."""
    tighter: dict[str, object] = {"sandbox": min(before.sandbox, after.sandbox, key=SANDBOXES.index)}
    tighter["tmp_exec"] = before.tmp_exec and after.tmp_exec
    return after.model_copy(update={key: value for key, value in tighter.items() if getattr(after, key) != value})


def beside_like(past: ModelSection, image: Image | None) -> ModelSection:
    """Return the accepted model as the base starts it, with the candidate's resources: else times would not compare."""
    if past.image is None or image is None:
        return past
    same = {name: getattr(image, name) for name in _RESOURCES if getattr(image, name) != getattr(past.image, name)}
    return past.model_copy(update={"image": past.image.model_copy(update=same)})
