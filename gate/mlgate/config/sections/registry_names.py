"""Names in a model registry, as MLflow takes them: of models, aliases, tags and runs."""

from __future__ import annotations

import re
from typing import Annotated

from mlgate.config.sections.section import Written
from mlgate.config.yaml.fault import quoted
from mlgate.core.errors import ConfigError

_MODEL = Written(
    r"(?!\.$|\s|.*\.\.|.*\s$)[^\x00-\x1f\x7f-\x9f\u2028\u2029/:\\]{1,250}",
    r"is no registered model's name: at most 250 characters, without / : \ and .., no blank at its ends",
    "e.g. summarizer",
)
_ALIAS = Written(
    r"(?![Ll][Aa][Tt][Ee][Ss][Tt]$|[Vv][0-9]+$)[A-Za-z0-9_-]{1,255}",
    "is no alias: letters, digits, _ and -, at most 255; `latest` and `v1`, `v2` … are MLflow's own",
    "e.g. champion",
)

ModelName = Annotated[str, _MODEL]
"""A registered model's name; Databricks' `catalog.schema.model` is one, too."""

Alias = Annotated[str, _ALIAS]
"""What points to one version of a registered model."""

TagName = Annotated[
    str,
    Written(
        r"(?!ml(?:gate|flow)\.)[A-Za-z0-9_](?:[A-Za-z0-9_.:-]|[ /](?=[A-Za-z0-9_])){0,249}",
        "is no tag that a person sets: letters, digits, _ . - : and inner blanks and /, at most 250; "
        "`mlgate.…` and `mlflow.…` are set by programs",
        "e.g. approved_by",
    ),
]
"""A version's tag that people write."""

RunId = Annotated[
    str,
    Written(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,255}",
        "is no run's id",
        "copy it from the run's page: 32 letters and digits",
    ),
]
"""A run of the tracker."""


def is_model_name(text: str) -> bool:
    """Return whether a model of that name can be registered."""
    return re.fullmatch(_MODEL.pattern, text) is not None


def alias(text: str, option: str) -> str:
    """Return *text*, the value of the command's *option*. Raises ConfigError when no alias can be called so."""
    if not re.fullmatch(_ALIAS.pattern, text):
        says = _ALIAS.says if text else "is empty"
        raise ConfigError(f"{option} {quoted(text)} {says}" if text else f"{option} {says}", hint=_ALIAS.hint)
    return text
