"""From where pydantic says that something is wrong to where that is in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import Tag

from mlgate.config.sections.document import Document
from mlgate.config.sections.section import Section
from mlgate.config.yaml.position import Steps

_KEY_MARK = "[key]"
"""How pydantic ends the location of a key that is wrong itself."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One entry of the file, and what belongs there."""

    steps: Steps
    kind: object
    """The type that belongs there; None when nothing does."""
    at_key: bool = False

    @property
    def section(self) -> type[Section] | None:
        """Return the section that belongs there."""
        kind = _bare(self.kind)
        return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def trace(location: Sequence[str | int]) -> Spot:
    """Follow pydantic's *location* through the sections, and leave out the names of union members that it holds."""
    kind: object = Document
    steps: Steps = ()
    for step in location:
        kind = _bare(kind)
        members = _members(kind)
        if members:
            kind = members.get(str(step))
        elif step == _KEY_MARK:
            return Spot(steps, kind, at_key=True)
        else:
            kind = _inside(kind, step)
            steps = (*steps, step)
    return Spot(steps, kind)


def _bare(kind: object) -> object:
    """Take `Annotated` and `| None` away."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind):
            some = [one for one in get_args(kind) if one is not NoneType]
            if len(some) != 1:
                return Union[tuple(some)]  # noqa: UP007 - made at run time
            kind = some[0]
        else:
            return kind


def _members(kind: object) -> Mapping[str, object]:
    """Return the tagged members of a union by tag; empty for anything else."""
    if get_origin(kind) not in (Union, UnionType):
        return {}
    return {
        str(mark.tag): member
        for member in get_args(kind)
        if get_origin(member) is Annotated
        for mark in get_args(member)[1:]
        if isinstance(mark, Tag)
    }


def _inside(kind: object, step: str | int) -> object:
    if isinstance(kind, type) and issubclass(kind, Section):
        for name, field in kind.model_fields.items():
            if step == (field.alias or name):
                return field.annotation
        return None
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return inner[1]
    return inner[0] if origin is tuple else None
