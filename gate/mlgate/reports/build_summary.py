"""A build for people: what came from a cache, what took the time, and what would make the next one quicker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from mlgate.core.build import BuildStep, ImageBuild, Underway
from mlgate.reports.content.escape import flowing, markdown, markdown_code, terminal

GUIDE = "docs/how-to/dockerfile.md"

_LONGEST_NAME = 90
"""Characters of a step's name that are shown."""
_LONGEST_ERROR = 300
_PRINTED = 400
_OF_STAGE = re.compile(r"\[[^\]]{0,200}\] ")
_OPTIONS = re.compile(r"\ARUN (?:--\S+ )+")
"""Of RUN: mounts are long, and hide what runs."""
_PLACES = {"engine": "the local engine", "registry": "pushed to ", "archive": "docker load --input "}


def line(underway: Underway, width: int = 100) -> str:
    """Return how far a build is, in one line of at most *width* characters."""
    cached = f", {underway.cached} cached" if underway.cached else ""
    head = f"building: {underway.done} of {underway.steps} steps done{cached}, {underway.seconds:.0f} s"
    doing = f": {_short(underway.doing, max(10, width - len(head) - 2))}" if underway.doing else ""
    return head + doing


def render(build: ImageBuild) -> str:
    """Return the summary for a terminal or a log: the cached share first, then what took the time."""
    rows = [("image", build.image)]
    if build.digest and not build.image.endswith(build.digest):
        rows.append(("digest", build.digest))
    rows.append(("in", _PLACES[build.place] + terminal(build.kept, _LONGEST_ERROR)))
    if build.layers:
        rows.append(("layers", terminal(build.layers, _LONGEST_ERROR)))
    rows += _label_first("slowest", [f"{step.seconds:6.1f} s  {_step_name(step)}" for step in build.slowest])
    rows += _label_first("but", [f"{_short(step.name)}: {_step_error(step)}" for step in build.lost])
    rows += _label_first("advice", list(_advice(build, _short)))
    lines = [_headline(build, terminal(build.name, _LONGEST_NAME)), *(f"  {name:<8} {text}" for name, text in rows)]
    return "\n".join(lines) + "\n"


def to_markdown(build: ImageBuild) -> str:
    """Return the summary for the page of a workflow's run."""
    rows = "".join(f"| {_code(step.name)} | {step.seconds:.1f} s | {_how(step)} |\n" for step in build.slowest)
    slowest = f"\n| slowest | took | |\n|---|---:|---|\n{rows}" if rows else ""
    lost = "".join(f"\n⚠️ {_code(step.name)}: {markdown(_step_error(step), _LONGEST_ERROR)}\n" for step in build.lost)
    advice = "".join(f"\n💡 {text}\n" for text in _advice(build, _code))
    layers = f"Layers: {markdown(build.layers, _LONGEST_ERROR)}. " if build.layers else ""
    return (
        f"#### {_headline(build, markdown_code(build.name, _LONGEST_NAME))}\n\n"
        f"{layers}Image {markdown_code(build.image, _LONGEST_ERROR)}\n{slowest}{lost}{advice}\n"
    )


def failure(step: BuildStep, printed: Sequence[str]) -> str:
    """Return what a step printed before it failed, for a terminal or a log."""
    told = [f"  │ {terminal(text, _PRINTED)}" for text in printed]
    return "\n".join([f"{_short(step.name)} failed; it said last:", *told]) + "\n" if told else ""


def failure_markdown(step: BuildStep, printed: Sequence[str]) -> str:
    """Return the same for the page of a workflow's run."""
    told = "<br>".join(markdown_code(text, _PRINTED) for text in printed)
    error = markdown(_step_error(step), _LONGEST_ERROR)
    return f"#### The image could not be built\n\n{_code(step.name)}: {error}\n\n{told}\n"


def _headline(build: ImageBuild, name: str) -> str:
    return f"built {name} in {build.seconds:.1f} s: {share(build)}"


def share(build: ImageBuild) -> str:
    """Return the cached share: `11 of 14 steps cached (79 %)`."""
    steps = len(build.steps)
    if not steps:
        return "no steps of its own"
    return f"{build.cached} of {steps} step{'s' * (steps != 1)} cached ({build.percent} %)"


def _advice(build: ImageBuild, quoted: Callable[[str], str]) -> Iterator[str]:
    if build.misplaced:
        copies, installs = build.misplaced
        yield (
            f"{quoted(copies)} comes before {quoted(installs)}: any change of any file installs everything anew. "
            f"Copy the list of dependencies alone, install, then copy the rest: {GUIDE}"
        )


def _label_first(name: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(name if number == 0 else "", text) for number, text in enumerate(texts)]


def _step_name(step: BuildStep) -> str:
    return _short(step.name) + (" (cached)" if step.cached else "")


def _how(step: BuildStep) -> str:
    return "cached" if step.cached else "ran"


def _step_error(step: BuildStep) -> str:
    return flowing(terminal(flowing(step.error, _LONGEST_ERROR), _LONGEST_ERROR), _LONGEST_ERROR)


def _short(name: str, limit: int = _LONGEST_NAME) -> str:
    said = " ".join(_OF_STAGE.sub("", name, count=1).split())
    return terminal(_OPTIONS.sub("RUN ", said, count=1), limit)


def _code(name: str) -> str:
    return markdown_code(_short(name), _LONGEST_NAME)
