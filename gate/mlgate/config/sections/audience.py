"""Whose requests a model gets before anybody else's: those that bear a header, or a cookie."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from mlgate.config.sections.section import Given, Section, Written, complaint

_Name = Annotated[
    str,
    Written(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "must be a name of letters, digits, . _ and -", "e.g. x-group"),
]
_Value = Annotated[
    str,
    Written(r"[A-Za-z0-9._~-]{1,128}", "must be a text of letters, digits, . _ ~ and -", "e.g. beta"),
]
_TAKEN = ("x-mlgate-variant", "x-mlgate-trial", "cookie", "host")


class MarkSection(Section):
    """What a request bears."""

    name: _Name = Field(examples=["x-group"])
    """Of the header or cookie."""
    value: _Value = Field(examples=["beta"])
    """The whole value."""


class AudienceSection(Section):
    """Whose requests the model gets before anybody else's: exactly one of `header` and `cookie`."""

    header: Given[MarkSection] = None
    """A header with this value."""
    cookie: Given[MarkSection] = None
    """A cookie with this value."""

    @model_validator(mode="after")
    def _one_mark(self) -> Self:
        if (self.header is None) == (self.cookie is None):
            raise complaint("needs exactly one of header and cookie", "e.g. header: {name: x-group, value: beta}")
        if self.header is not None and self.header.name.lower() in _TAKEN:
            says = f"cannot be {self.header.name}"
            raise complaint(says, "write cookie: {…} for a cookie, or a header of your own", at=("header", "name"))
        return self
