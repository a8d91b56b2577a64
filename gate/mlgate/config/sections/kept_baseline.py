"""What every baseline has that is kept from an earlier run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlgate.config.sections.section import Section


class KeptBaseline(Section):
    """The evidence of the last accepted model."""

    kept_in: str = Field(alias="from")
    """Where the baseline is kept."""
    compare: Literal["same", "common"] = "same"
    """What is compared when the data moved since. `same`: nothing, until a new baseline is accepted. `common`: the
    examples that both were asked; how many these are is told in every report."""
