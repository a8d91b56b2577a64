"""A Kubernetes manifest as a person wrote it: its documents, each entry with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgate.config.yaml import parse as strict_yaml
from mlgate.config.yaml import source
from mlgate.config.yaml.parse import Value
from mlgate.config.yaml.position import Positions, Steps
from mlgate.core.errors import ConfigError

_BETWEEN = re.compile(r"^---(?:[ \t]+#.*|[ \t]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a manifest."""

    value: dict[str, Value]
    positions: Positions

    def where(self, *steps: str | int) -> str:
        """Return `file:line:column` of an entry, or of the nearest one around it."""
        way: Steps = steps
        return self.positions.where(way)


def read(path: Path) -> tuple[Document, ...]:
    """Read the manifest at *path*. Raises ConfigError with the place of what cannot be read."""
    text, name = source.read(path), str(path)
    found = tuple(_documents(text, name))
    if not found:
        raise ConfigError("the manifest is empty", where=name, hint="mlgate init --deploy inference-service writes one")
    return found


def _documents(text: str, name: str) -> Iterator[Document]:
    """Yield the documents. Each is parsed behind as many empty lines as it has lines before it: so places are right."""
    begin, lines = 0, 0
    for end, after in [*((found.start(), found.end()) for found in _BETWEEN.finditer(text)), (len(text), len(text))]:
        part = text[begin:end]
        if any(line.strip() and not line.lstrip().startswith("#") for line in part.splitlines()):
            tree = strict_yaml.parse("\n" * lines + part, name)
            if not isinstance(tree.value, dict):
                raise ConfigError("a document must be an object", where=tree.positions.where(()))
            yield Document(tree.value, tree.positions)
        lines, begin = text.count("\n", 0, after), after
