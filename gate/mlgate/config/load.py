"""Text to Config: everything that is wrong with the file, in its order, each with the next step."""

from __future__ import annotations

from collections.abc import Mapping
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
from mlgate.config.validate.metric_choice import ResolvedCheck, names, names_of, resolve
from mlgate.config.validate.partial import mapping, salvaged, salvaged_load
from mlgate.config.yaml import parse as strict_yaml
from mlgate.config.yaml import source
from mlgate.config.yaml.fault import Complaint, Fault, refusal
from mlgate.config.yaml.parse import Tree, Value


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
    resolved, found = _resolve(tree, document.checks)
    if not found:
        config = Config(path, root, document, tree.positions, resolved)
        found = [*unfit(config)]
    if found:
        raise refusal(name, [complaint.at(tree.positions) for complaint in found])
    return config


def _faults(tree: Tree, structural: list[Complaint]) -> list[Fault]:
    """Return all faults: the structural ones, and what is wrong with the meaning of what is sound by itself."""
    checks = {check_id: salvaged(value) for check_id, value in _checks(tree).items()}
    _, found = _resolve(tree, checks)
    told = {complaint.steps for complaint in structural}
    meant = [complaint for complaint in found if complaint in structural or complaint.steps not in told]
    return [complaint.at(tree.positions) for complaint in (*structural, *meant)]


def _checks(tree: Tree) -> Mapping[str, Value]:
    return mapping(mapping(tree.value).get("checks"))


def _resolve(tree: Tree, checks: Mapping[str, Check]) -> tuple[Mapping[str, ResolvedCheck], list[Complaint]]:
    """Return what each check measures, and everything that is wrong with the file's meaning."""
    answers, model = names(), mapping(mapping(tree.value).get("model"))
    found, resolved = [*disagreements(tree.value)], {}
    for check_id, check in checks.items():
        one, wrong = resolve(check_id, check, names_of(check, answers))
        resolved[check_id] = one
        found += wrong
        for ruled in one.rules:
            if ruled.metric in one.metrics:
                found += senseless(ruled, one.metrics[ruled.metric])
        if isinstance(check, LatencyCheck):
            image = "endpoint" not in model or "image" in model
            found += unmeasured(check_id, one, salvaged_load(_checks(tree)[check_id]), image=image)
    return resolved, found
