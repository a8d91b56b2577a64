"""Where verdicts are remembered: experiments and the model registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from mlgate.config.sections.duration import Duration, lasting
from mlgate.config.sections.registry_names import Alias, ModelName, TagName
from mlgate.config.sections.section import Given, Section, Written, complaint
from mlgate.config.sections.uris import SourceUri, TrackingUri, is_served

_Experiment = Annotated[
    str,
    Written(r"(?!\s|.*\s$)[^\x00-\x1f\x7f]{1,500}", "must be one line of at most 500 characters, no blank at its ends"),
]
_Folder = Annotated[
    str,
    Written(
        r"(?!.*:/)[^\x00-\x1f\x7f]{1,4096}",  # an address would silently become a folder of that name
        "must be a folder of this machine",
        "relative to the configuration's folder, e.g. mlartifacts",
    ),
]


class Demand(Section):
    """What a person must have done before a version becomes live."""

    tag: TagName = Field(examples=["approved_by"])
    """The version's tag that must not be empty: `approved_by`."""


class RegistrySection(Section):
    """The registered model that `mlgate promote` makes versions of."""

    name: Given[ModelName] = None
    """The registered model. Left out: the model's name."""
    source: Given[SourceUri] = None
    """Where the model itself lies: `s3://…`. Left out: the image with its digest, else the verdict's files."""
    require: Given[Demand] = None
    """What promotion waits for: `{tag: approved_by}`. Left out: the verdict alone."""
    stages: Mapping[Alias, Literal["Staging", "Production", "Archived", "None"]] = Field(default_factory=dict)
    """Stages for those who still read them, by alias: `{candidate: Staging, champion: Production}`."""


class MlflowTracking(Section):
    """MLflow: every verdict becomes a run, and a model that passed can become a version."""

    short: ClassVar[str] = "uri"
    may_be_empty: ClassVar[bool] = True
    written_as: ClassVar[str] = "an address or a mapping"

    uri: Given[TrackingUri] = None
    """Where MLflow keeps runs: `http://mlflow:5000`, `sqlite:///mlflow.db`, `databricks` or another database, without
    user and password. Left out: MLFLOW_TRACKING_URI, else `sqlite:///mlflow.db` in the configuration's folder."""
    experiment: Given[_Experiment] = None
    """The experiment that runs belong to. Left out: the model's name."""
    artifacts: _Folder = "mlartifacts"
    """Where files go when no server keeps them: a folder, relative to the configuration's."""
    required: bool = False
    """A verdict that cannot be logged ends with 3, and so does a rollout whose champion cannot be moved. Else the
    verdict is kept for `mlgate sync`, and holds, and the rollout ends as it ends."""
    timeout: Duration = lasting("10s")
    """How long one request may take."""
    registry: RegistrySection = Field(default_factory=RegistrySection)
    """The registered model, and what promotion waits for."""

    @model_validator(mode="after")
    def _artifacts_have_no_server(self) -> Self:
        if "artifacts" in self.model_fields_set and self.uri is not None and is_served(self.uri):
            hint = "delete it; the server's own option is --artifacts-destination"
            raise complaint("is not for a server: it decides itself where artifacts go", hint, at=("artifacts",))
        return self


class Tracking(Section):
    """Where verdicts are remembered, besides the files of this run."""

    mlflow: MlflowTracking
    """The address of MLflow, a mapping, or nothing: then the environment says where it is."""
