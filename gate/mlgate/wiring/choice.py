"""What a caller chose for one run, and the record that a run leaves of itself."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters.run_folder import RunFolder
from mlgate.core.errors import ConfigError, GateError
from mlgate.wiring import unmerged
from mlgate.wiring.policy import Base
from mlgate.wiring.project import Project
from mlgate.wiring.publish import tell_github
from mlgate.wiring.tell import tell


@dataclass(frozen=True, slots=True)
class Choice:
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
    """Whose rules bind: a git ref, `auto`, or empty and `none` for this checkout's own."""
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

    def saving(self, project: Project) -> Choice:
        """Return the choice with what `keep_baseline` means for *project*; what is not merged saves nothing."""
        wanted = self.save_baseline or (self.keep_baseline and project.is_kept_by_ci)
        why = unmerged.why(project.root) if wanted else ""
        if why:
            tell(sys.stderr, f"mlgate: notice: the baseline stays what it is: {why}")
        return replace(self, save_baseline=wanted and not why)

    def project(self) -> Project:
        """Read what is to be tested, and by whose rules."""
        if self.image_archive is not None and not self.image:
            raise ConfigError("--image-archive needs the ID of the image in it", hint="add --image sha256:…")
        return Project.load(self.config, Base(self.base, self.approved, self.bootstrap), self.image, self.image_archive)

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder."""
        return RunFolder.beside(self.config, self.output)


@contextlib.contextmanager
def recorded(folder: RunFolder) -> Iterator[None]:
    """Make the verdict file say `incomplete` first, and what stopped the run when it was stopped."""
    with folder.held():
        folder.begin("the run has not ended")
        try:
            yield
        except GateError as error:
            outcome = "refused" if error.exit_code == 5 else "errored"  # noqa: PLR2004 - the documented code
            with contextlib.suppress(GateError):
                folder.conclude(outcome, error.exit_code, str(error))
            with contextlib.suppress(GateError):
                tell_github(outcome, error.exit_code, folder)
            raise
        except Exception:
            with contextlib.suppress(GateError):
                tell_github("errored", 3, folder)  # the verdict file stays `incomplete`
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(GateError):
                folder.conclude("incomplete", 130, "interrupted: go on with `mlgate check --resume`")
            raise
