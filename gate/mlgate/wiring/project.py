"""A project: its mlgate.yaml, the suite that it asks, and the adapters that it names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from mlgate.adapters.data.local_path import local
from mlgate.adapters.data.section_line import SectionLine
from mlgate.adapters.files import evidence_file
from mlgate.adapters.files.baseline_file import FileBaseline
from mlgate.adapters.git import repository
from mlgate.adapters.git.baseline import GitBaseline
from mlgate.adapters.github import environment as github_run
from mlgate.adapters.models.python_source import source_digest
from mlgate.adapters.process import hardware
from mlgate.adapters.secrets.redactor import Secrets, shown
from mlgate.config.config import Config
from mlgate.config.load import load
from mlgate.config.sections import document
from mlgate.config.sections.image import Build, Source
from mlgate.config.sections.mlflow_baseline import MlflowBaseline
from mlgate.config.sections.model import ModelSection
from mlgate.config.translate.checks import to_check
from mlgate.core.check import Check, Json, Suite
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.evidence import Environment, Evidence, Provenance
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM
from mlgate.core.ports import BaselineStore
from mlgate.core.report import Report
from mlgate.core.rule_change import Policy
from mlgate.flow import paired_baseline
from mlgate.flow.base_rules import ordered
from mlgate.wiring import base_question, base_rules, ci_baseline, evidence_source, mlflow, models
from mlgate.wiring.base_choice import BaseOptions
from mlgate.wiring.base_rules import Binding
from mlgate.wiring.data import dataset
from mlgate.wiring.images import Images
from mlgate.wiring.kinds import tests
from mlgate.wiring.mlflow import Mlflow


@dataclass(frozen=True)
class Project:
    """What one mlgate.yaml means, with its data read."""

    config: Config
    suite: Suite
    binding: Binding = field(default_factory=Binding)
    """Whose rules are in the suite."""
    image_archive: Path | None = None
    """The file that holds the image under test; None: it is in the engine, a registry, or built."""
    is_given_its_image: bool = False
    """The caller names the image under test: what is in it, only the run shows."""

    BASELINE_HINT: ClassVar[str] = "write `baseline: {from: file, path: baseline.jsonl.gz}`"

    @classmethod
    def load(
        cls, path: Path, base: BaseOptions | None = None, image: str = "", image_archive: Path | None = None
    ) -> Project:
        """Read configuration and data; *base* says whose rules bind, *image* is tested in place of the file's.

        *image_archive*: the file that holds *image*.

        Raises ConfigError, with the place, for what cannot be used; Refused for a change that may not loosen its gate.
        """
        config = load(path)
        bound = base_rules.bound(config, base or BaseOptions(), lambda one: [_check(one, name) for name in one.checks])
        config, checks = with_image(bound.config, image) if image else bound.config, bound.checks
        if config.baseline_model is not None:
            checks = paired_baseline.with_baseline(checks, written(config.baseline_model))
        suite = Suite.of(checks, config.model.name)
        return cls(config, suite, bound.binding, image_archive, is_given_its_image=bool(image))

    def complete(self, report: Report, evidence: Evidence) -> Report:
        """Return the report with whose rules judged, which judging itself does not know.

        Raises Refused where the base has `ratchet: refuse`, and the evidence shows that the change is asked about
        something else than the base asks.
        """
        said = [self.binding.notice] if self.binding.notice else []
        if self.config.model.answers is not None:
            said += models.answer_notices(self.config.model, self.root, self.suite, evidence.provenance.model)
        return replace(report, policy=self._policy_over(evidence), notices=(*said, *report.notices))

    def _policy_over(self, evidence: Evidence) -> Policy | None:
        """Return the policy, with what only the *evidence* shows of the question that was answered."""
        whose, ours = self.binding.policy, self.binding.names_its_model
        if whose is None or not (ours or self.is_given_its_image):
            return whose
        found = [*base_question.of_evidence(self.config, self.suite.checks, evidence)]
        if found and self.binding.ratchet and (ours or base_question.is_baseline(self.config)):
            raise base_rules.refusal(found)
        return replace(whose, changes=ordered([*whose.changes, *(one for one in found if one not in whose.changes)]))

    @property
    def root(self) -> Path:
        """Return the folder that paths are relative to."""
        return self.config.root

    @cached_property
    def provenance(self) -> Provenance:
        """Return what this checkout would observe."""
        past = self.config.baseline_model
        return self.provenance_of(self.model(), self._digest(past) if past else "")

    def model(self, form: int = CURRENT_FORM) -> str:
        """Return the digest, in some form, of the model that is here."""
        return self._digest(self.config.model, form)

    def model_before(self, model: str) -> str:
        """Return, in the form before, the digest of the model that this run was of; empty where that cannot be told.

        *model* is its digest of today. An image that this run only heard of is not looked up, let alone built.
        """
        section = self.config.model
        if section.image is not None and not self.images.has(section):
            return ""
        return model if section.endpoint is None and section.image is None else self._digest(section, FIRST_FORM)

    @cached_property
    def images(self) -> Images:
        """Return the images of this run."""
        past = self.config.baseline_model
        return Images(self.root, past.image if past else None, self.image_archive)

    @cached_property
    def environment(self) -> Environment:
        """Return where this run observes. A sandbox that is weaker than its name is refused when it is probed."""
        here, image = hardware.observe(), self.config.model.image
        run = github_run.here()
        if run and run.attempt not in ("", "1"):
            here = replace(here, versions=(*here.versions, ("attempt", run.attempt)))
        return replace(here, versions=(*here.versions, ("sandbox", image.sandbox))) if image else here

    def _digest(self, section: ModelSection, form: int = CURRENT_FORM) -> str:
        if section.image is not None:
            return self.images.digest(section, form)
        return models.digest(section, self.root, self.suite, form)

    def provenance_of(self, model: str, baseline: str) -> Provenance:
        """Return what this checkout would observe of the models with these digests."""
        data = tuple(sorted((check.id, check.data_digest) for check in self.suite.checks))
        return Provenance(repository.commit(self.root), self.suite.digest, model, data, baseline, _run())

    def provenance_beside(self, shards: Provenance) -> Provenance:
        """Return `provenance`; where answers or images are not here, the *shards* say what the models were."""
        if self.config.model.image is not None:
            return self.provenance_of(shards.model, shards.baseline)
        try:
            return self.provenance
        except EvidenceError:
            return self.provenance_of(shards.model, shards.baseline)

    def baseline_store(self) -> BaselineStore | None:
        """Return where the baseline is kept; None when none is configured.

        Raises Refused for one that only the change under test has, unless a person approved it.
        """
        match self.config.baseline:
            case document.FileBaseline(path=path):
                line = SectionLine("baseline", {"from": "file", "path": path})
                place = local(self.root, path, line.with_path, self.config.where("baseline"))
                store = FileBaseline(place, path, self.most_rows_of_older)
                whose = self.binding
                if whose.base is None or whose.own_baseline:
                    return store
                return evidence_source.baseline(store, whose.base, approved=whose.approved)
            case document.GitBaseline(ref=ref, path=path):
                return GitBaseline(self.root, ref, path, self.most_rows_of_older)
            case document.CiBaseline():
                return ci_baseline.store(self.root, self.kept_by_ci, self.most_rows_of_older, self.binding.base)
            case MlflowBaseline() as section:
                most = self.most_rows_of_older
                return mlflow.baseline_of(self.memory, self.config, section, base=self.binding.base, most=most)
            case _:
                return None

    @property
    def most_rows_of_older(self) -> int:
        """Return how many rows evidence may have that an older suite than this one observed."""
        return evidence_file.older(self.suite.most_rows)

    @cached_property
    def memory(self) -> Mlflow | None:
        """Return what MLflow keeps of this project; None where the file has no `tracking:`."""
        return Mlflow.of(self.config)

    @property
    def is_kept_by_ci(self) -> bool:
        """Return whether the baseline is the one that CI keeps."""
        return isinstance(self.config.baseline, document.CiBaseline)

    @property
    def kept_by_ci(self) -> Path:
        """Return where the baseline lies that CI keeps of the base branch."""
        named = os.environ.get("MLGATE_BASELINE")
        return Path(named).expanduser() if named else self.root / ".mlgate-baseline/evidence.jsonl.gz"

    @property
    def baseline_path(self) -> Path | None:
        """Return the baseline's file in the work tree, if one is configured."""
        kept = self.config.baseline
        if isinstance(kept, document.CiBaseline):
            return self.kept_by_ci
        return self.root / kept.path if isinstance(kept, document.FileBaseline | document.GitBaseline) else None

    @property
    def beside(self) -> str:
        """Return what the baseline is that runs beside the candidate, for people; empty when none does."""
        past = self.config.baseline_model
        if past is None:
            return ""
        if past.image is not None:
            return f"image {past.image.ref or past.image.build}"
        return f"endpoint {shown(past.endpoint.url, models.named(past))}" if past.endpoint else ""

    @cached_property
    def secrets(self) -> Secrets:
        """Return what takes the secrets of this run, of both its models, out of what is kept."""
        past = self.config.baseline_model
        return models.secrets_of(self.config.model, *([past] if past else []))

    @property
    def builds(self) -> Build | None:
        """Return how the image under test is built; None for a model that is no image, or one that is there."""
        return self.config.model.image.build if self.config.model.image else None

    def part(self, name: str) -> Suite:
        """Return what one part of a run asks, see PARTS; the whole suite for an empty *name*."""
        return self.suite.only({check.id for check in self.suite.checks if not name or self._part_of(check) == name})

    def _part_of(self, check: Check) -> str:
        if check.exclusive:
            return "latency"
        return "accuracy" if self.config.model.image is None else "image-accuracy"


def _run() -> str:
    """Return what names the CI run that this process is a part of; empty at a desk."""
    run = github_run.here()
    return f"github-{run.id}" if run and run.id else ""


def with_image(config: Config, ref: str) -> Config:
    """Return the configuration with another image under test: one that an earlier job built."""
    model = config.model
    if model.image is None:
        raise ConfigError(
            "there is no image to put another one in place of",
            where=config.where("model"),
            hint="write model: {image: {build: .}}, or leave out --image",
        )
    try:
        Source.model_validate({"ref": ref})
    except ValueError as error:
        raise ConfigError(f"{ref[:100]!r} is no image's name", hint="--image name:tag, or name@sha256:…") from error
    image = model.image.model_dump(mode="json", exclude_unset=True, exclude={"ref", "build"})
    other = ModelSection.model_validate({**written(model), "image": {**image, "ref": ref}})
    return replace(config, document=config.document.model_copy(update={"model": other}))


def written(section: ModelSection) -> Mapping[str, Json]:
    """Return a model's section as plain values."""
    values: Mapping[str, Json] = section.model_dump(mode="json", exclude_unset=True)
    return values


def _check(config: Config, name: str) -> Check:
    found = dataset(config, name)
    check = to_check(config, name, found.examples, found.notices)
    if not tests(check):
        return check
    code = [source_digest(f"{Path(path.split('::')[0]).stem}:", _folder(config.root / path)) for path in tests(check)]
    return replace(check, params={**check.params, "code": code})


def _folder(path: Path) -> Path:
    """Return where a test file's module, or a folder of tests, is looked for."""
    return Path(str(path).split("::")[0]).parent
