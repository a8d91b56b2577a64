"""Which registered model a configuration is about."""

from __future__ import annotations

from mlgate.config.sections.document import Document
from mlgate.config.sections.registry_names import is_model_name


def registered_name(document: Document) -> str | None:
    """Return the model to promote: `registry.name`, else the model's name; None when none can be registered so."""
    tracking = document.tracking
    named = tracking.mlflow.registry.name if tracking else None
    return named or (document.model.name if is_model_name(document.model.name) else None)
