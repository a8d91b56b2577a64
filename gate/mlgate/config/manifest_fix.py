"""A manifest with entries written or deleted, and everything else as the person wrote it, comments included."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mlgate.core.deploy.advice import Advice, Fix
from mlgate.core.errors import ConfigError


def fixed(text: str, found: Sequence[Advice]) -> str:
    """Return the manifest *text* with the fixes of *found*. Raises ConfigError without the package that it needs."""
    try:
        from ruamel.yaml import YAML
    except ImportError as error:
        raise ConfigError("--fix needs an extra package", hint="pip install 'mlgate[kserve]'") from error
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    if _indents_lists(text):
        yaml.indent(mapping=2, sequence=4, offset=2)
    documents = list(yaml.load_all(text))
    kept = [one for one in documents if one is not None]
    for one in found:
        for fix in one.fixes:
            _write(kept[one.document], fix)
    out = io.StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


def _indents_lists(text: str) -> bool:
    """Whether lists stand further in than their keys, as the first one in *text* does."""
    for line, after in pairwise(text.split("\n")):
        if line.rstrip().endswith(":") and after.lstrip().startswith("- "):
            return len(after) - len(after.lstrip()) > len(line) - len(line.lstrip())
    return False


def _write(document: Any, fix: Fix) -> None:
    into = document
    *way, last = fix.steps
    for step in way:
        into = into[step] if isinstance(step, int) else into.setdefault(step, {})
    if fix.value is not None:
        into[last] = fix.value
    elif last in into:
        del into[last]
