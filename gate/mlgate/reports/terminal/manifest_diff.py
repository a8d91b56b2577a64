"""What a release changes, as a unified diff of the objects before and after."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlgate.core.deploy.release import Deployed
from mlgate.reports.content.escape import terminal

_OURS = "mlgate.dev/"


def render(before: Deployed | None, after: Deployed) -> str:
    """Return the diff; the names of releases and what mlgate stamps on them are left out."""
    old = list(_lines(before)) if before is not None else []
    new = list(_lines(after))
    names = (before.name if before else "nothing", after.name)
    lines = difflib.unified_diff(old, new, *names, lineterm="", n=2)
    return "".join(f"{terminal(line, 500)}\n" for line in lines)


def _lines(deployed: Deployed) -> Iterator[str]:
    for document in deployed.manifest:
        yield f"{document.get('kind')}:"
        yield from _tree(_bare(document, deployed.name), 1)


def _bare(value: Any, name: str) -> Any:
    """Return a document without what mlgate stamps, and with one name for all releases."""
    if isinstance(value, Mapping):
        return {key: _bare(item, name) for key, item in value.items() if not str(key).startswith(_OURS)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_bare(item, name) for item in value]
    return value.replace(name, "RELEASE") if isinstance(value, str) else value


def _tree(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key in sorted(value):
        item = value[key]
        if isinstance(item, Mapping) and item:
            yield f"{indent}{key}:"
            yield from _tree(item, depth + 1)
        elif isinstance(item, list) and any(isinstance(one, Mapping) for one in item):
            yield f"{indent}{key}:"
            for one in item:
                yield f"{indent}-"
                yield from _tree(one, depth + 1) if isinstance(one, Mapping) else [f"{indent}  {json.dumps(one)}"]
        elif not (isinstance(item, Mapping) and key in ("labels", "annotations")):
            yield f"{indent}{key}: {json.dumps(item)}"
