"""How an image was built: which steps ran, which came from a cache, and what took the time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

ImageDestination = Literal["engine", "registry", "archive"]
CacheKind = Literal["none", "registry", "inline", "gha", "local"]
"""Where layers can be kept between machines."""

_DOCKERFILE = re.compile(r"\[(?:[^\]]{0,200} )?\d+/\d+\] (?P<instruction>.*)", re.DOTALL)
_INSTALLS = re.compile(
    r"\b(?:pip3?|uv|poetry|pdm|conda|mamba|apt|apt-get|apk|dnf|yum|npm)\b['\", ]+(?:[\w./=-]+['\", ]+){0,8}?"
    r"(?:install|sync|add|ci)\b"
)
_WHOLE = re.compile(r"(?:COPY|ADD) (?:--\S+ )*(?:\[ *\"\./?\"|\./? )")
_WORTH_TELLING_S = 0.1


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One thing that a builder did. Its name is the Dockerfile's text: hostile."""

    name: str
    """E.g. `[dependencies 2/3] RUN pip install …`, or `exporting to image`."""
    seconds: float
    cached: bool = False
    """It did not run: its result was there."""
    error: str = ""
    """Why it failed; empty when it did not."""
    after: tuple[int, ...] = ()
    """Which steps of the same build it needs, by their index."""

    @property
    def instruction(self) -> str:
        """Return the Dockerfile's instruction; empty for what a builder does around them, and for `FROM`."""
        found = _DOCKERFILE.fullmatch(self.name)
        said = found["instruction"] if found else ""
        return "" if said.startswith("FROM ") else said


@dataclass(frozen=True, slots=True)
class Underway:
    """How far a build is."""

    seconds: float
    steps: int
    """Those of the Dockerfile that are known by now."""
    done: int
    cached: int
    doing: str
    """The name of what began last and is not over: hostile. Empty: nothing is known yet."""


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """An image that was built."""

    name: str
    """What a person calls it: its tag, or where it was pushed."""
    image: str
    """What `mlgate check` takes: `sha256:…`, or `name@sha256:…` when it was pushed."""
    digest: str
    """`sha256:…` of its manifest; of its configuration where an engine without manifests built it."""
    place: ImageDestination
    kept: str
    """Where it went: a registry's reference, a file, or empty for the engine."""
    seconds: float
    all: tuple[BuildStep, ...]
    """Everything that was done or found, in the order in which the builder met it."""
    layers: str = ""
    """Where layers were looked for besides the builder, in words; empty: nowhere."""

    @property
    def steps(self) -> tuple[BuildStep, ...]:
        """Return the Dockerfile's steps that make layers, without `FROM`."""
        return tuple(step for step in self.all if step.instruction)

    @property
    def cached(self) -> int:
        """Return how many of the steps did not run."""
        return sum(step.cached for step in self.steps)

    @property
    def percent(self) -> int:
        """Return the cached share of the steps; 100 means all, and not almost all. 0 when there are no steps."""
        share = 100 * self.cached / len(self.steps) if self.steps else 0.0
        return round(share) if self.cached == len(self.steps) else min(round(share), 99)

    @property
    def slowest(self) -> Sequence[BuildStep]:
        """Return the three that took longest, cached or not: a cached layer may still have to be fetched."""
        told = [step for step in self.all if step.seconds >= _WORTH_TELLING_S]
        return sorted(told, key=lambda step: -step.seconds)[:3]

    @property
    def lost(self) -> Sequence[BuildStep]:
        """Return what failed and did not stop the build: a cache that could not be read or written."""
        return [step for step in self.all if step.error]

    @property
    def misplaced(self) -> tuple[str, str] | None:
        """Return (copy, install): a step that copies the whole folder, and an installing one that needs it; or None.

        Any change of any file then installs everything anew.
        """
        for step in self.all:
            if step.instruction.startswith("RUN ") and _INSTALLS.search(step.instruction):
                for other in self._before(step):
                    if _WHOLE.match(other.instruction):
                        return other.name, step.name
        return None

    def _before(self, step: BuildStep) -> Sequence[BuildStep]:
        seen: dict[int, None] = {}
        left = list(step.after)
        while left:
            index = left.pop()
            if index not in seen:
                seen[index] = None
                left += self.all[index].after
        return [self.all[index] for index in sorted(seen)]


def outputs(build: ImageBuild) -> Mapping[str, str]:
    """Return what a step of a workflow hands on: `image`, `digest`, `cached` (percent) and `seconds`."""
    values = {
        "image": build.image,
        "digest": build.digest,
        "cached": str(build.percent),
        "seconds": str(round(build.seconds)),
    }
    forms = {"image": _IMAGE, "digest": _DIGEST, "cached": _NUMBER, "seconds": _NUMBER}
    assert all(forms[name].fullmatch(value) for name, value in values.items())
    return values


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE = re.compile(rf"(?:[A-Za-z0-9][A-Za-z0-9._:/-]{{0,299}}@)?{_DIGEST.pattern}")
_NUMBER = re.compile(r"[0-9]{1,9}")
