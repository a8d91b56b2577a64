"""One run: what it asks, by whose rules, what it is held against, and the record that it leaves of itself.

`mlgate check`, `mlgate merge` and the pytest plug-in all prepare a run and finish it (`finish.py`). What each brings is
who observes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlgate.adapters.files.run_folder import RunFolder
from mlgate.commands.baseline import baseline_of, baseline_of_part, store_of
from mlgate.commands.publish import tell_github
from mlgate.commands.run_options import RunOptions
from mlgate.core.errors import GateError, Refused
from mlgate.core.ports import BaselineStore
from mlgate.flow.judge import Baseline
from mlgate.wiring.error_redaction import secrets_at
from mlgate.wiring.evidence_source import refuse_brought
from mlgate.wiring.project import Project


@dataclass(frozen=True)
class Run:
    """What is known of a run before anything is asked."""

    choice: RunOptions
    project: Project
    folder: RunFolder
    store: BaselineStore | None
    """Where it becomes the baseline when it passes; None where it does not."""

    @classmethod
    def prepare(cls, choice: RunOptions, folder: RunFolder, given: Sequence[Path] = ()) -> Run:
        """Read what is to be asked, and by whose rules. What could never be saved is told now, too.

        Raises Refused where the change under test brings evidence that is *given*.
        """
        project = choice.project()
        choice = choice.saving(project)
        for path in given:
            refuse_brought(project.binding.base, path)
        store = store_of(choice, project, folder)
        return cls(choice, project, folder, store if choice.save_baseline else None)

    @cached_property
    def baseline(self) -> Baseline | None:
        """Return what the evidence is held against, loaded once; of a part of a run, only what its times need."""
        find = baseline_of_part if self.choice.is_part else baseline_of
        return find(self.project, self.choice)


@contextlib.contextmanager
def recorded(folder: RunFolder, config: Path) -> Iterator[None]:
    """Make the verdict file say `incomplete` first, and what stopped the run when it was stopped.

    What it says, it says without the secrets of the file *config*.
    """
    with folder.held():
        folder.begin("the run has not ended")
        try:
            yield
        except GateError as error:
            error.pass_through(secrets_at(config).text)
            write_stop(folder, str(error), error.exit_code)
            raise
        except Exception:
            with contextlib.suppress(GateError):
                tell_github("errored", 3, folder)  # the verdict file stays `incomplete`
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(GateError):
                folder.conclude("incomplete", 130, "interrupted: go on with `mlgate check --resume`")
            raise


def write_stop(folder: RunFolder, why: str, code: int) -> None:
    """Write what stopped a run in place of a verdict, and tell the workflow, as far as either can be written."""
    outcome = "refused" if code == Refused.exit_code else "errored"
    with contextlib.suppress(GateError):
        folder.conclude(outcome, code, why)
    with contextlib.suppress(GateError):
        tell_github(outcome, code, folder)
