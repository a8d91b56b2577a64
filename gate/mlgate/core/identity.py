"""What stands for a thing in evidence, in a registry and in a baseline: one digest of named fields, in a numbered form.

Every field is named where it is hashed. What Python shows of a value (`repr`, `asdict`) is never hashed: the name of a
class or of an attribute would then be a part of every model's identity, and renaming it would make all of them others.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlgate.core.check import Json, digest_of

CURRENT_FORM = 2
"""The form that is written. Whoever hashes other fields, or hashes them otherwise, takes the next number."""
FIRST_FORM = 1
"""The form before: it hashed Python's `repr`, and data together with the fields of `slices:`. See `form1`."""
FORMS = (FIRST_FORM, CURRENT_FORM)
"""Those that are read."""


def identity(kind: str, fields: Mapping[str, Json]) -> str:
    """Return the digest of a thing of some *kind*: of its fields by name, whatever holds them."""
    return digest_of({"form": f"mlgate.{kind}/{CURRENT_FORM}", "fields": fields})
