"""A baseline that runs beside the candidate, in the same run: what it differs in from the model under test."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from mlgate.config.sections.image import Source
from mlgate.config.sections.model import ModelSection
from mlgate.config.sections.served import Address


class ImageBaseline(Source):
    """The accepted model's image: started like the candidate's and observed beside it, in the same run."""

    kept_in: Annotated[Literal["image"], Field(alias="from")]
    """Where the baseline is. All else is taken from `model.image`, and not written again."""


class EndpointBaseline(Address):
    """A server with the accepted model: asked like the candidate's and observed beside it, in the same run."""

    kept_in: Annotated[Literal["endpoint"], Field(alias="from")]
    """Where the baseline is. All else is taken from `model.endpoint`, headers included, and not written again."""


Beside = ImageBaseline | EndpointBaseline


def beside(model: ModelSection, baseline: Beside) -> ModelSection:
    """Return the model section of the *baseline*: the candidate's *model*, but for where it comes from."""
    way = baseline.kept_in
    written: dict[str, JsonValue] = model.model_dump(mode="json", exclude_unset=True)
    own: dict[str, JsonValue] = baseline.model_dump(mode="json", exclude_unset=True, exclude={"kept_in"})
    inherited = written[way]
    assert isinstance(inherited, dict)  # the document refused a baseline of another kind than its model
    rest = {key: value for key, value in inherited.items() if key not in {"ref", "build", "url"}}
    return ModelSection.model_validate({**written, way: {**rest, **own}})
