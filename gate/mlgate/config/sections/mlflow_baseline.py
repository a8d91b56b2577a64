"""A baseline that MLflow remembers: which of its versions or runs."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from mlgate.config.sections.kept_baseline import KeptBaseline
from mlgate.config.sections.registry_names import Alias, ModelName, RunId
from mlgate.config.sections.section import Given, Written, complaint

WAYS = ("alias", "version", "run", "latest")
"""How the one is told that is meant; at most one of them is written."""
OF_RUNS = ("run", "latest")
"""Those that need no registered model."""

_Branch = Annotated[
    str, Written(r"(?!.*(?:\.\.|//|/$))[A-Za-z0-9_][A-Za-z0-9_./@#+-]{0,199}", "is no branch", "e.g. latest: main")
]


class MlflowBaseline(KeptBaseline):
    """The evidence of a model that MLflow remembers: by itself the version with the alias `champion`."""

    model_config = ConfigDict(
        json_schema_extra={"allOf": [{"not": {"required": list(two)}} for two in combinations(WAYS, 2)]}
    )

    champion: ClassVar[str] = "champion"
    """The alias where nothing else is written."""

    kept_in: Annotated[Literal["mlflow"], Field(alias="from")]
    """Where the baseline is kept: where `tracking.mlflow` says."""
    alias: Given[Alias] = None
    """The version that an alias points to. Left out, and none of the others given: `champion`."""
    version: Given[Annotated[int, Field(ge=1)]] = None
    """A version by its number."""
    run: Given[RunId] = None
    """A run by its id, registered or not."""
    latest: Given[_Branch] = None
    """The last run of a branch that passed: `main`."""
    model: Given[ModelName] = None
    """The registered model, where it is not the one of `tracking.mlflow.registry`. For `alias` and `version`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in WAYS if getattr(self, name) is not None]
        if len(ways) > 1:
            raise complaint(f"has {' and '.join(ways)}: a baseline is one run", "keep one of them")
        if self.model is not None and ways and ways[0] in OF_RUNS:
            raise complaint(f"is not for {ways[0]}: a run belongs to no registered model", "delete it", at=("model",))
        return self

    @property
    def chosen_alias(self) -> str | None:
        """Return the alias to follow; None when a version, a run or a branch is named."""
        if self.version is not None or self.run is not None or self.latest is not None:
            return None
        return self.alias or self.champion
