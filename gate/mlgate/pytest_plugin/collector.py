"""What one process of pytest needs to observe: the plan, the model and where rows go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlgate.adapters.files import plan_file
from mlgate.adapters.files.plan_file import WorkerPlan
from mlgate.adapters.files.worker_rows import RowWriter

if TYPE_CHECKING:
    from mlgate.core.ports import Model

COLLECTOR = pytest.StashKey["Collector"]()


def is_rerun(item: pytest.Item) -> bool:
    """Return whether a plug-in (pytest-rerunfailures) runs the test again because it failed."""
    return getattr(item, "execution_count", 1) > 1


class Collector:
    """Holds the plan, the model (started when first asked) and the file of rows."""

    def __init__(self, path: Path, worker: str) -> None:
        self.plan_path = path
        self.plan: WorkerPlan = plan_file.read(path)
        self.rows = RowWriter(path.parent, worker)
        self._model: Model | None = None

    @property
    def model(self) -> Model:
        """Return the model under test, started once a process."""
        if self._model is None:
            from mlgate.wiring.models import model

            self._model = model(self.plan.model, Path(self.plan.root), self.plan.suite, self.plan.workers)
        return self._model

    def close(self) -> None:
        """End the model and the row file."""
        if self._model is not None:
            self._model.close()
        self.rows.close()
