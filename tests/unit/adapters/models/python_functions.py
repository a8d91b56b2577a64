"""Models that are a function in a file of the test's own."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE

from mlgate.adapters.models.python_model import PythonModel
from mlgate.core.check import Example, Json
from mlgate.core.ports import Failure

Make = Callable[..., PythonModel]


@contextmanager
def written_to(folder: Path) -> Iterator[Make]:
    """Lend what writes a module and returns the model that its function `f` is."""
    models: list[PythonModel] = []

    def write(source: str, target: str = "model:f", **options: Any) -> PythonModel:
        (folder / "model.py").write_text(textwrap.dedent(source))
        settings: dict[str, Any] = {"timeout_s": PATIENCE, **options}
        models.append(PythonModel(target, folder, **settings))
        return models[-1]

    yield write
    for model in models:
        model.close()


def ask(model: PythonModel, *inputs: Json) -> list[str | Failure]:
    return list(model.answer([Example(str(i), one) for i, one in enumerate(inputs)]))
