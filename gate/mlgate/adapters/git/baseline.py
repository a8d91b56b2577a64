"""The baseline as an evidence file at a git ref: what the base branch accepted, whatever this branch changed."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from mlgate.adapters.data import git_lfs
from mlgate.adapters.files import evidence_file
from mlgate.adapters.git import base_data, repository
from mlgate.core.errors import AdapterError, ConfigError
from mlgate.core.evidence import Evidence

_COMMIT = re.compile(r"[0-9a-f]{40,64}")


class GitBaseline:
    """Evidence that is committed at *ref*. Reading it never touches the work tree."""

    def __init__(self, root: Path, ref: str, path: str, most: int = evidence_file.MOST_ROWS) -> None:
        self._root, self._ref, self._path, self._most = root, ref, path, most

    @property
    def source(self) -> str:
        """Return where it is, as git writes it."""
        return f"git {self._ref[:10] if _COMMIT.fullmatch(self._ref) else self._ref}:{self._path}"

    @property
    def accept(self) -> str:
        """Return how a first baseline comes to be."""
        return "accept one with `mlgate check --save-baseline`, and merge it"

    def load(self) -> Evidence | None:
        """Return the evidence, or None when the ref has no such file."""
        content, place = repository.show(self._root, self._ref, self._path), f"{self._ref}:{self._path}"
        if content is None:
            return None
        if not git_lfs.is_pointer(content):
            return evidence_file.parse(content, place, self._most)
        found = base_data.large_file(self._root, self._path, content)
        if found is None:
            raise AdapterError(
                "Git LFS keeps this baseline, and what lies here is not what its pointer names",
                where=place,
                hint=f"fetch it: git lfs fetch origin {shlex.quote(self._ref)}",
            )
        return evidence_file.read(found, self._most)

    def save(self, evidence: Evidence) -> None:
        """Write the file in the work tree; it becomes the baseline when it is merged. A link there is replaced."""
        target = self._root / self._path
        folder = Path(os.path.realpath(target.parent))  # a link in the tree may lead anywhere
        if not folder.is_relative_to(os.path.realpath(self._root)):
            raise ConfigError("the baseline's path leaves the project", where=self._path)
        evidence_file.write(folder / target.name, evidence)
