"""Where a finished report goes: files in the run's folder, the terminal, GitHub."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from mlgate.adapters.files import gate_file
from mlgate.adapters.files.run_folder import EVIDENCE, RunFolder
from mlgate.adapters.github import environment, step_files
from mlgate.adapters.process.environment_flags import in_github_actions
from mlgate.adapters.terminal.output import tell
from mlgate.commands.run_options import RunOptions
from mlgate.core.errors import AdapterError, GateError
from mlgate.core.report import Report
from mlgate.reports import annotations as github_annotations
from mlgate.reports import junit
from mlgate.reports.content.next_steps import HERE, Desk
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import report as markdown
from mlgate.reports.terminal import report as terminal

REPORT = "report.json"
_FILES: dict[str, tuple[str, Callable[[Report], str]]] = {
    "junit": ("junit.xml", junit.render),
    "markdown": ("summary.md", markdown.render),
}
"""Files beside report.json, by their name in the configuration."""


def publish(
    report: Report,
    folder: RunFolder,
    names: tuple[str, ...],
    out: TextIO,
    err: TextIO,
    *,
    saved: bool = False,
    desk: Desk = HERE,
) -> bytes:
    """Write and show *report*; return report.json. If an output fails, it prints a warning, and nothing else changes.

    Only report.json is required: a verdict without its report would be a word without a reason. *saved*: this run
    becomes the baseline. *desk*: what the commands that it names must be told.
    """
    text = json_v1.render(report)
    show(report, names, out, saved=saved, text=text, desk=desk)
    folder.write(REPORT, text)
    for name, (file, render) in _FILES.items():
        if name in names:
            try:
                folder.write(file, render(report))
            except AdapterError as error:
                tell(err, f"mlgate: warning: {error}")
    if "github" in names and in_github_actions():
        _github(report, out, err)
    return text.encode()


def show(
    report: Report, names: tuple[str, ...], out: TextIO, *, saved: bool = False, text: str = "", desk: Desk = HERE
) -> None:
    """Print the report as a person or a program asked for it; *text* is its JSON, if it was rendered already."""
    if "terminal" in names:
        page = terminal.render(report, width=width(), colour=has_colours(out), saved=saved, desk=desk)
        tell(out, page.rstrip("\n"))
    if "json" in names:
        tell(out, (text or json_v1.render(report)).rstrip("\n"))


def has_colours(out: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether *out* shows colours: a terminal does, and GitHub's log, unless the environment says otherwise."""
    if environ.get("NO_COLOR"):
        return False
    if "FORCE_COLOR" in environ:
        return environ["FORCE_COLOR"].strip().lower() not in ("", "0", "false")
    if environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    if environ.get("CLICOLOR") == "0":
        return False
    return environ.get("GITHUB_ACTIONS") == "true" or (out.isatty() and environ.get("TERM") != "dumb")


def desk_of(choice: RunOptions, evidence: Path | None = None, *, asking_helps: bool = True) -> Desk:
    """Return what commands must be told to find the run of *choice* again; *evidence* is where it was read from."""
    usual = choice.config in (gate_file.DEFAULT_FILE, gate_file.DEFAULT_FILE.with_suffix(".yml"))
    read = evidence or (choice.output / EVIDENCE if choice.output else None)
    return Desk(
        "" if usual else str(choice.config),
        str(choice.output) if choice.output else "",
        str(read) if read else "",
        asking_helps,
    )


def width() -> int:
    """Return the terminal's columns, at most 100: longer lines are hard to read."""
    return min(100, shutil.get_terminal_size((80, 24)).columns)


def _github(report: Report, out: TextIO, err: TextIO) -> None:
    tell(out, github_annotations.render(report).rstrip("\n"))
    run = environment.here()
    try:
        step_files.write_summary(markdown.render(report, run_url=run.url if run else ""))
    except AdapterError as error:
        tell(err, f"mlgate: warning: {error}")


def tell_github(outcome: str, code: int, folder: RunFolder) -> None:
    """Set the step's outputs; does nothing outside of GitHub Actions. Raises AdapterError: a verdict must arrive."""
    there = {"report-path": REPORT, "evidence-path": EVIDENCE}
    paths = {name: _path_of(folder, file) for name, file in there.items()}
    report = paths["report-path"]
    digest = hashlib.sha256(Path(report).read_bytes()).hexdigest() if report else ""
    step_files.write_outputs({"verdict": outcome, "exit-code": str(code), **paths, "report-digest": digest})


def _path_of(folder: RunFolder, name: str) -> str:
    """Return where a file of the run lies; empty where it is not, or the folder is another one by now."""
    with contextlib.suppress(GateError):
        path = folder.own(name)
        return str(path) if path.is_file() else ""
    return ""


def tell_error(error: GateError, out: TextIO) -> None:
    """Tell GitHub Actions of what stopped a run: an annotation at its place, and the job summary."""
    if not in_github_actions():
        return
    tell(out, github_annotations.stopped(error).rstrip("\n"))
    with contextlib.suppress(AdapterError):
        step_files.write_summary(markdown.stopped(error))
