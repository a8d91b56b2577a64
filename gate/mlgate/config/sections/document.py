"""The whole of mlgate.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from mlgate.config.sections.check import AnyCheck
from mlgate.config.sections.deploy import DeploySection
from mlgate.config.sections.kept_baseline import KeptBaseline
from mlgate.config.sections.mlflow_baseline import MlflowBaseline
from mlgate.config.sections.model import ModelSection
from mlgate.config.sections.paired_baseline import EndpointBaseline, ImageBaseline
from mlgate.config.sections.registry_names import is_model_name
from mlgate.config.sections.section import Given, Line, Many, Section, Written, complaint
from mlgate.config.sections.tracking import Tracking
from mlgate.config.sections.trust import TrustSection
from mlgate.config.yaml.fault import describe, did_you_mean

CheckId = Annotated[
    str,
    Written(
        r"[a-z0-9][a-z0-9_-]{0,63}",
        "is no check's name: lower-case letters, digits, _ and -, at most 64",
        "e.g. summaries",
    ),
]
ORIGINS = ("file", "git", "ci", "mlflow", "image", "endpoint")
_REPORTS = Literal["terminal", "junit", "markdown", "github"]


def _version(value: object) -> object:
    if type(value) is not int or value != 1:  # to Python and pydantic, True and 1.0 equal 1
        raise complaint("must be 1", "this mlgate reads version 1 of the file")
    return value


def _origin(value: object) -> object:
    if value not in ORIGINS:
        there = f"there are: {', '.join(ORIGINS)}"
        hint = did_you_mean(value, ORIGINS, "there are") if isinstance(value, str) else there
        raise complaint(f"must be where the baseline is kept, but is {describe(value)}", hint)
    return value


class FileBaseline(KeptBaseline):
    """The evidence of the last accepted model, in a file."""

    kept_in: Annotated[Literal["file"], BeforeValidator(_origin)] = Field(alias="from")
    """Where the baseline is kept."""
    path: Line = Field(examples=["baseline.jsonl.gz"])
    """The file, relative to the configuration's folder."""


class GitBaseline(KeptBaseline):
    """The evidence of the last accepted model, in a file of a git ref: a pull request cannot change it."""

    kept_in: Annotated[Literal["git"], BeforeValidator(_origin)] = Field(alias="from")
    """Where the baseline is kept."""
    ref: Annotated[
        str,
        Written(
            r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./@^~+-]{0,199}",
            "is no git ref",
            "e.g. refs/remotes/origin/main",
        ),
    ] = Field(examples=["refs/remotes/origin/main"])
    """The branch, tag or commit, written in full. A name that could mean two of them is refused."""
    path: Annotated[
        str,
        Written(
            r"(?!.*(?:^|/)\.\.(?:/|$))[^-/:\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,4095}",
            "must be a path inside the repository",
            "relative to the configuration's folder, without ..",
        ),
    ] = Field(examples=["baseline.jsonl.gz"])
    """The file, relative to the configuration's folder."""


class CiBaseline(KeptBaseline):
    """The evidence of the last run on the base branch that passed: CI keeps it, nothing is committed.

    In GitHub Actions it is an artifact, and GitHub's API says which run uploaded it: only one of the default branch
    counts, in the history of what is judged. At a desk it is `.mlgate-baseline/evidence.jsonl.gz`, or where
    MLGATE_BASELINE says.
    """

    kept_in: Annotated[Literal["ci"], BeforeValidator(_origin)] = Field(alias="from")
    """Where the baseline is kept."""


def _which(value: object) -> str:
    kept_in = value.get("from") if isinstance(value, dict) else None
    for variant, name in (
        (GitBaseline, "git"),
        (CiBaseline, "ci"),
        (MlflowBaseline, "mlflow"),
        (ImageBaseline, "image"),
        (EndpointBaseline, "endpoint"),
    ):
        if isinstance(value, variant) or kept_in == name:
            return variant.__name__
    return FileBaseline.__name__


Baseline = Annotated[
    Annotated[FileBaseline, Tag("FileBaseline")]
    | Annotated[GitBaseline, Tag("GitBaseline")]
    | Annotated[CiBaseline, Tag("CiBaseline")]
    | Annotated[MlflowBaseline, Tag("MlflowBaseline")]
    | Annotated[ImageBaseline, Tag("ImageBaseline")]
    | Annotated[EndpointBaseline, Tag("EndpointBaseline")],
    Discriminator(_which),
]


class Document(Section):
    """A model, the checks it must pass, and what it is compared with."""

    version: Annotated[Literal[1], BeforeValidator(_version)]
    """The version of this file's format."""
    model: ModelSection
    """The model under test."""
    checks: Mapping[CheckId, AnyCheck] = Field(min_length=1)
    """What is asked and which rules hold, by a name of your own."""
    baseline: Given[Baseline] = None
    """The last accepted model: its evidence, or itself beside the candidate. Needed for `max_drop` and `max_rise`."""
    ratchet: Literal["show", "refuse"] = "show"
    """What a change that loosens these rules meets. The base branch's rules judge it; `refuse`: and it ends with 5."""
    report: Many[_REPORTS] = Field(("terminal", "junit", "markdown", "github"), min_length=1)
    """Where the verdict goes besides report.json. `junit`, `markdown`: files; `github`: summary and annotations."""
    tracking: Given[Tracking] = None
    """Where verdicts are remembered from run to run."""
    trust: Given[TrustSection] = None
    """Whose attestation of the verdict a deploy demands. Left out: none is demanded."""
    deploy: Given[DeploySection] = None
    """The service on a cluster that `mlgate deploy` brings the model to."""


def registered_name(document: Document) -> str | None:
    """Return the model to promote: `registry.name`, else the model's name; None when none can be registered so."""
    named = document.tracking.mlflow.registry.name if document.tracking else None
    return named or (document.model.name if is_model_name(document.model.name) else None)
