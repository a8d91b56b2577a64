"""One row of a data file: which fields mean what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlgate.adapters.data import columns
from mlgate.adapters.data.field_values import id_text, kind, plain, quoted, text_of
from mlgate.adapters.data.section_line import SectionLine
from mlgate.core.check import Json
from mlgate.core.errors import ConfigError
from mlgate.core.formats.field_path import Absent, pick

NO_VALUE = "(none)"
"""The slice of rows whose field is absent, null or empty (CSV cannot tell these apart)."""

LONGEST_ID = 1000
"""Characters of an id: it stands in every row of evidence, in reports and in links."""

_LONGEST_SHOWN = 200
"""Characters of a name that is written out: the configuration takes no longer one."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a row mean what: by name, or by dotted path (`answers.text`, `answers.*.text`)."""

    input: str = "input"
    references: tuple[str, ...] = ()
    """Their texts add up. Empty: `reference` or, when the first row has none, `references`."""
    id: str = ""
    """Empty: `id` when the first row has one, else ids are made from the content."""
    slices: tuple[str, ...] = ()
    group: str = ""
    """The field whose rows of one value depend on each other; empty: none is declared."""
    split_lists: bool | None = None
    """Whether a reference that is a list written as text is that list. None: nobody said so."""
    values_are_text: bool = False
    """Whether the format has no lists, so that one can only be written as text."""
    others_have_it: bool = False
    """Whether a row was read by these fields: what lacks one is another kind of row."""
    needs_references: bool = True
    """Whether a row must have one; where no metric looks at them, it may."""
    line: SectionLine = field(default_factory=SectionLine)
    """What names the file in the configuration: hints say how it should read."""

    def columns(self, there: Sequence[str]) -> list[str]:
        """Return what must be read of the columns *there*; all when one is missing, so that the error can name them."""
        wanted = [self.input, *self.references, *([self.id] if self.id else []), *self.slices]
        wanted += [self.group] if self.group else []
        heads = [_head(path, there) for path in wanted]
        heads += [] if self.references else ["reference" if "reference" in there else "references"]
        if not set(heads) <= set(there):
            return list(there)
        needed = {*heads, *([] if self.id else ["id"])}
        return [name for name in there if name in needed]

    def settled(self, first: Mapping[str, object]) -> Fields:
        """Return the fields with what was left to the first row decided."""
        references = self.references or (("reference",) if "reference" in first else ("references",))
        return replace(self, references=references, id=self.id or ("id" if "id" in first else ""))

    def line_for(self, missing: str, row: Mapping[str, object]) -> str:
        """Return the hint for a row without its `input`, its `references` or its `id`: the line that reads it."""
        there = tuple(row)
        asked = {"input": [self.input], "references": [*self.references], "id": [self.id]}
        close = columns.nearest(asked[missing], there)
        did_you = f"did you mean {quoted(close)}? " if close else ""
        if self.others_have_it:
            return f"{did_you}rows before it have it: rename or add it here; {columns.listed(there)}"
        used = {name for names in asked.values() for name in names if name in row}
        found = {missing: close or columns.meant(missing, there, used)}
        for what, names in asked.items():
            if what != missing and names != [""] and all(pick(row, name) is Absent.ABSENT for name in names):
                found[what] = columns.nearest(names, there) or columns.meant(what, there, {*used, *found.values()})
        if not self.id and (own := columns.meant("id", there, {*used, *found.values()})):
            found["id"] = own
        if not found[missing] and missing != "id":
            found[missing] = next((name for name in there if name not in {*used, *found.values()}), "")
        rest = [name for name in there if name not in {*used, *found.values()}]
        if not found.get("references", "-") and len(rest) == 1:
            found["references"] = rest[0]
        changes = {what: _texts_in(row, name) if what == "references" else name for what, name in found.items() if name}
        if not changes or any(len(name) > _LONGEST_SHOWN for name in changes.values()):
            return f"{did_you}{columns.listed(there)}"
        return f"{did_you}write `{self.line.where(**changes)}`; {columns.listed(there)}"


def _texts_in(row: Mapping[str, object], name: str) -> str:
    """Return the path to the texts of a field: itself, or one that it holds."""
    return columns.inside(row[name], name) or name


USUAL = Fields()
"""Those of a file of which nothing else is said."""


def own_id(row: Mapping[str, object], fields: Fields, where: str) -> str:
    """Return the id that the row itself gives; never empty, and short enough to stand in every row of evidence."""
    name = fields.id
    match value := pick(row, name):
        case Absent.ABSENT:
            raise ConfigError(f"the row has no id {quoted(name)}", hint=fields.line_for("id", row), where=where)
        case None:
            blank = True
        case str():
            blank = not value.strip()
        case _:
            blank = False
    if blank:
        raise ConfigError(f"the id {quoted(name)} is empty", hint="give every row an id, or none", where=where)
    text = id_text(value, name, where)
    if text is None:
        raise ConfigError(
            f"the id {quoted(name)} holds {kind(value)}", hint="an id is a text or a whole number", where=where
        )
    if len(text) > LONGEST_ID:
        raise ConfigError(
            f"the id {quoted(name)} has {len(text):,} characters: an id may have {LONGEST_ID:,}",
            hint="give the row a shorter id, or none: then one is made from the content",
            where=where,
        )
    return text


def input_of(row: Mapping[str, object], fields: Fields, where: str) -> Json:
    """Return what the model is asked, as JSON can carry it."""
    given = pick(row, fields.input)
    if given is Absent.ABSENT:
        raise ConfigError(
            f"the row has no field {quoted(fields.input)}", hint=fields.line_for("input", row), where=where
        )
    return plain(given, fields.input, where)


def group_of(row: Mapping[str, object], name: str, where: str) -> str:
    """Return the group that the row is of; empty for a row without one: it depends on no other."""
    value = pick(row, name)
    return "" if value in (None, Absent.ABSENT, "") else slice_of(value, name, where, "to group by")


def slice_of(value: object, name: str, where: str, what: str = "to slice by") -> str:
    """Return the text of the value by which the row is sliced, or grouped."""
    if value in (None, Absent.ABSENT, ""):
        return NO_VALUE
    text = text_of(value, name, where)
    if text is None:
        raise ConfigError(
            f"the field {quoted(name)} {what} holds {kind(value)}",
            hint="it must hold a text, a number or a truth value",
            where=where,
        )
    return text


def _head(path: str, there: Sequence[str]) -> str:
    return path if path in there else path.partition(".")[0]
