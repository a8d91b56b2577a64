"""Text to Config: everything that is wrong with the file, in its order, each with the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from mlgate.config.config import Config
from mlgate.config.sections.check import Check
from mlgate.config.sections.document import Document
from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.translate.latency_params import unfit
from mlgate.config.validate import pydantic_messages
from mlgate.config.validate.bounds import senseless
from mlgate.config.validate.cross_section import disagreements
from mlgate.config.validate.latency_metrics import unmeasured
from mlgate.config.validate.metric_choice import (
    Unbuilt,
    choice,
    measured,
    meter,
    misnamed,
    names,
    names_of,
    ruled,
    written_at,
)
from mlgate.config.validate.partial import mapping, salvaged, salvaged_load
from mlgate.config.yaml import parse as strict_yaml
from mlgate.config.yaml import source
from mlgate.config.yaml.fault import Complaint, Fault, refusal
from mlgate.config.yaml.parse import Tree
from mlgate.core.metric import Metric


def load(path: Path) -> Config:
    """Read the configuration at *path*. Raises ConfigError; what else is wrong with the file is in its `more`."""
    return _config(source.read(path), str(path), path, path.absolute().parent)


def parse(text: str, name: str, root: Path = Path()) -> Config:
    """Read a configuration from *text*, e.g. of another git ref; *name* is what errors call it."""
    return _config(text, name, Path(name), root)


def _config(text: str, name: str, path: Path, root: Path) -> Config:
    tree = strict_yaml.parse(text, name)
    try:
        document = Document.model_validate(tree.value)
    except ValidationError as error:
        faults = _faults(tree, pydantic_messages.complaints(error))
        raise refusal(name, faults) from None  # pydantic's text repeats the input, and that may be a secret
    faults = _faults(tree, [])
    if faults:
        raise refusal(name, faults)
    config = Config(path, root, document, tree.positions)
    faults = [complaint.at(tree.positions) for complaint in unfit(config)]
    if faults:
        raise refusal(name, faults)
    return config


def _faults(tree: Tree, structural: list[Complaint]) -> list[Fault]:
    """Return all faults: the structural ones, and what is wrong with the meaning of what is sound by itself."""
    answers = names()
    model = mapping(mapping(tree.value).get("model"))
    found = [*structural, *disagreements(tree.value)]
    for check_id, value in mapping(mapping(tree.value).get("checks")).items():
        check = salvaged(value)
        found += _meaningless(check_id, check, names_of(check, answers))
        if isinstance(check, LatencyCheck):
            image = "endpoint" not in model or "image" in model
            found += unmeasured(check_id, check, salvaged_load(value), image=image)
    told = {complaint.steps for complaint in structural}
    return [
        complaint.at(tree.positions) for complaint in found if complaint in structural or complaint.steps not in told
    ]


def _meaningless(check_id: str, check: Check, there: Sequence[str]) -> Iterator[Complaint]:
    wrong = misnamed(check_id, check, there)
    yield from wrong
    unknown = {complaint.steps for complaint in wrong}
    meters: dict[str, Metric] = {}
    for name in measured(check_id, check):
        steps = written_at(check_id, check, name)
        if not any(place[: len(steps)] == steps for place in unknown):
            try:
                meters[name] = meter(choice(check, name), steps)
            except Unbuilt as error:
                yield error.complaint
    for one in ruled(check_id, check):
        if one.metric in meters:
            yield from senseless(one, meters[one.metric])
