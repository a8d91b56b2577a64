"""What makes a verdict one about something else than the base asks: another kind of model, or no model at all."""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from mlgate.adapters.git import repository as git
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.adapters.http.address import Address
from mlgate.config.config import Config
from mlgate.config.sections.image import Source
from mlgate.config.sections.model import ModelSection
from mlgate.core.check import Check, Suite
from mlgate.core.errors import GateError
from mlgate.core.evidence import Evidence
from mlgate.core.rule_change import Direction, RuleChange
from mlgate.flow.copied_answers import answered, copied
from mlgate.wiring import models

WAYS = ("endpoint", "image", "python", "answers")
_LOCAL = "localhost"


def way(model: ModelSection) -> str:
    """Return which kind of model it is: one of WAYS."""
    return next(way for way in WAYS if getattr(model, way) is not None)


def questions(theirs: Config, ours: Config) -> Iterator[RuleChange]:
    """Yield what is seen in the two files alone."""
    before, after = way(theirs.model), way(ours.model)
    if before != after:
        yield RuleChange(Direction.QUESTION, f"the model: {before} becomes {after}", ours.where("model", after))
    past = theirs.baseline_model if theirs.baseline is not None else ours.baseline_model
    if past is None:
        return
    moved = _moves(theirs.model, ours.model)
    if place(past) == place(ours.model) and (moved or place(past) != place(theirs.model)):
        said = f"the model is the baseline itself ({_model_text(ours.model)}): it is compared with itself"
        yield RuleChange(Direction.QUESTION, said, ours.where("model", after))
    elif moved and past.endpoint is not None and theirs.baseline is not None:
        said = f"the model is asked at another address ({_model_text(ours.model)})"
        unknown = "whether the baseline answers there, too, cannot be told"
        yield RuleChange(Direction.QUESTION, f"{said}: {unknown}", ours.where("model", after))


def is_baseline(config: Config) -> bool:
    """Return whether the model under test is, by its place, the baseline that runs beside it."""
    return config.baseline_model is not None and place(config.baseline_model) == place(config.model)


def _moves(before: ModelSection, after: ModelSection) -> bool:
    """Return whether a change asks an endpoint elsewhere.

    Two names may lead to one server, and two paths on it to one model: only what was asked before is known not to be
    the baseline. Images need no such care, for they are told apart by their content.
    """
    if before.endpoint is None or after.endpoint is None:
        return False
    try:
        return Address.of(before.endpoint.url) != Address.of(after.endpoint.url)
    except GateError:
        return before.endpoint.url != after.endpoint.url


def is_its_own(theirs: Config, ours: Config, base: BaseCommit) -> bool:
    """Return whether the change itself says where its model or its answers are: not the same as at the base."""
    if way(theirs.model) != way(ours.model) or place(theirs.model) != place(ours.model):
        return True
    given = ours.model.answers
    if given is None:
        return False
    kept = git.files(ours.root, "HEAD", given.path)
    return given != theirs.model.answers or not kept or not base.is_same(given.path)


def of_answers(ours: Config, checks: Sequence[Check]) -> Iterator[RuleChange]:
    """Yield that a file of answers holds the references; nothing where it cannot be read yet."""
    given = ours.model.answers
    if given is None:
        return
    try:
        asked = models.answers(ours.model, ours.root, Suite.of(checks))
    except GateError:
        return  # whoever asks it says so, in its place
    for check in checks:
        if check.kind != "accuracy":
            continue
        texts = zip(check.examples, asked.answer(check.examples), strict=True)
        found = {example.id: text for example, text in texts if isinstance(text, str)}
        yield from _copies(ours, check, found)


def of_evidence(ours: Config, checks: Sequence[Check], evidence: Evidence) -> Iterator[RuleChange]:
    """Yield what only the run itself shows."""
    if ours.model.answers is not None:
        for check in checks:
            if check.kind == "accuracy":
                yield from _copies(ours, check, answered(check, evidence))
    known = evidence.provenance
    if known.baseline and known.model == known.baseline:
        said = "the model has the same digest as the baseline that runs beside it: it is compared with itself"
        yield RuleChange(Direction.QUESTION, said, ours.where("model", way(ours.model)))


def _copies(ours: Config, check: Check, answers: dict[str, str]) -> Iterator[RuleChange]:
    if number := copied(check, answers):
        said = f"{check.id}: {number:,} of {len(check.examples):,} answers are the references"
        yield RuleChange(Direction.QUESTION, said, ours.where("model", "answers"))


def place(model: ModelSection) -> object:
    """Return what is equal for two models at one place, however their addresses are written; else the model's kind."""
    if model.endpoint is not None:
        return (_endpoint(model.endpoint.url), model.served_name)
    if model.image is not None:
        return _image(model.image)
    return way(model)


def _endpoint(url: str) -> object:
    try:
        found = Address.of(url)
    except GateError:
        return url
    steps = posixpath.normpath(f"/{unquote(found.path)}").lstrip("/")
    return (found.scheme, _host(found.host), found.port, steps, found.query)


def _host(written: str) -> str:
    """Return one spelling of a host; this machine itself has many."""
    name = written.rstrip(".")
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        return _LOCAL if name == _LOCAL or name.endswith(f".{_LOCAL}") else name
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return _LOCAL if (mapped or ip).is_loopback else str(mapped or ip)


def _image(source: Source) -> object:
    """Return an image's full name: without the registry, the folder and the tag that engines add by themselves."""
    if source.ref is None:
        return source.build
    name, _, digest = source.ref.partition("@")
    name = name.removeprefix("index.").removeprefix("docker.io/").removeprefix("library/")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, "latest"
    return (repository, digest or tag)


def _model_text(model: ModelSection) -> str:
    if model.endpoint is not None:
        return model.endpoint.url[:80]
    return (model.image.ref or "its build")[:80] if model.image else way(model)
