"""What a caller chose for one run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlgate.adapters.files import gate_file
from mlgate.adapters.files.run_folder import RunFolder
from mlgate.adapters.process.environment_flags import in_github_actions, switch
from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.core.errors import ConfigError
from mlgate.wiring.base_choice import AUTO, NONE, BaseOptions

if TYPE_CHECKING:
    from mlgate.wiring.project import Project


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the caller chose for one run."""

    config: Path
    output: Path | None = None
    """None: `.mlgate` beside the configuration."""
    workers: int = 1
    """0: observe in this process."""
    shard: tuple[int, int] | None = None
    resume: bool = False
    save_baseline: bool = False
    """Make this run the baseline when it passes."""
    bootstrap: bool = False
    """There is nothing to compare with: comparisons warn."""
    base: str = ""
    """Whose rules bind: a git ref, `auto`, or `none` for this checkout's own. Empty: `auto` in GitHub Actions."""
    approved: bool = False
    """A person approved that the change under test edits the rules."""
    keep_baseline: bool = False
    """The same, where the baseline is the one that CI keeps; else nothing."""
    image: str = ""
    """The image to test in place of the file's."""
    image_archive: Path | None = None
    """The file that holds it; None: it is in the engine or a registry."""
    part: str = ""
    """One of PARTS, or empty: all."""
    forks: bool = False
    """A fork's code may run on a self-hosted machine."""
    verdict: str = ""
    """SHA-256 of the report that the run's folder must have; empty: whichever it has."""
    environment: str = ""
    """GitHub's environment that rollouts are shown as deployments to; empty: none."""
    attestations: tuple[Path, ...] = ()
    """The files with the verdict's attestations; empty: those in the run's folder."""

    @property
    def is_part(self) -> bool:
        """Return whether this run observes a part only, which `mlgate merge` judges with the others."""
        return bool(self.shard or self.part)

    def saving(self, project: Project) -> RunOptions:
        """Return the choice with what `keep_baseline` means for *project*; what is not merged saves nothing."""
        wanted = self.save_baseline or (self.keep_baseline and project.is_kept_by_ci)
        why = unmerged_guard.why(project.root) if wanted else ""
        if why:
            tell(sys.stderr, f"mlgate: notice: the baseline stays what it is: {why}")
        return replace(self, save_baseline=wanted and not why)

    def project(self) -> Project:
        """Read what is to be tested, and by whose rules."""
        from mlgate.wiring.project import Project  # most of mlgate, which not every verb needs

        if self.image_archive is not None and not self.image:
            raise ConfigError("--image-archive needs the ID of the image in it", hint="add --image sha256:…")
        return Project.load(
            self.config, BaseOptions(self.whose, self.approved, self.bootstrap), self.image, self.image_archive
        )

    @property
    def whose(self) -> str:
        """Return whose rules bind. In GitHub Actions nobody's own by default: what judges nothing is written: `none`.

        Every verb and the plug-in get their base from here, so no way in leaves it out.
        """
        said = self.base.strip()
        if said.lower() in (AUTO, NONE) and said != said.lower():
            hint = f"write {said.lower()}, or the branch of that name in full: refs/heads/{said}"
            raise ConfigError(f"{said!r} is no word for whose rules bind", where="base", hint=hint)
        return said or (AUTO if in_github_actions() else NONE)

    @classmethod
    def of_environment(cls, config: Path | None = None, environ: Mapping[str, str] = os.environ) -> RunOptions:
        """Return what the environment chooses: the variables of `mlgate check`, for who has no such options.

        Raises ConfigError for a switch that is neither on nor off, or where mlgate.yaml and mlgate.yml are there.
        """
        output, archive = environ.get("MLGATE_OUTPUT", ""), environ.get("MLGATE_IMAGE_ARCHIVE", "")
        return cls(
            config or gate_file.found(Path(environ.get("MLGATE_CONFIG") or gate_file.DEFAULT_FILE)),
            Path(output) if output else None,
            save_baseline=switch("MLGATE_SAVE_BASELINE", environ),
            bootstrap=switch("MLGATE_BOOTSTRAP", environ),
            base=environ.get("MLGATE_BASE", ""),
            approved=switch("MLGATE_APPROVE_POLICY", environ),
            keep_baseline=switch("MLGATE_KEEP_BASELINE", environ),
            image=environ.get("MLGATE_IMAGE", ""),
            image_archive=Path(archive) if archive else None,
            forks=switch("MLGATE_ALLOW_FORKS", environ),
        )

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder."""
        return RunFolder.beside(self.config, self.output)
