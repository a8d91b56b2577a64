"""What is kept of a rollout: a page, a picture and a document, beside the verdict that let it begin."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mlgate.adapters.files import safe_file
from mlgate.adapters.github import environment, step_files
from mlgate.adapters.terminal.output import tell
from mlgate.commands.run_options import RunOptions
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.errors import GateError
from mlgate.reports.json_v1 import rollout as json_v1
from mlgate.reports.markdown import rollout as markdown
from mlgate.reports.svg import rollout as svg
from mlgate.wiring import rollout_traffic
from mlgate.wiring.deploy import Target

FOLDER, DOCUMENT = "rollout", "rollout.json"


def keep(target: Target, choice: RunOptions, record: ServiceRecord, asked: Sequence[tuple[float, float]] = ()) -> None:
    """Write the report. What cannot be written is told, and changes nothing: the rollout is over.

    *asked*: when online checks asked during the steps. Those requests are no users'.
    """
    try:
        story = rollout_traffic.story(target, record, asked)
        run = environment.here()
        page = markdown.render(story, run_url=run.url if run else "")
        folder = choice.folder.path / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (
            (DOCUMENT, json_v1.render(story)),
            ("rollout.md", page),
            ("rollout.svg", svg.rollout(story)),
        ):
            safe_file.write(folder / name, text.encode())
        step_files.write_summary(page)
    except (GateError, OSError) as error:
        tell(sys.stderr, f"mlgate: notice: the report of the rollout was not written: {error}")


def tell_github(choice: RunOptions, outcome: str) -> None:
    """Set the step's outputs; does nothing outside of GitHub Actions. Raises AdapterError."""
    folder = choice.folder.path / FOLDER
    path = str(folder) if (folder / DOCUMENT).is_file() else ""
    step_files.write_outputs({"outcome": outcome, "rollout-path": path})
