"""What layer caching saves: an image as big as a model's, built by `mlgate build` with a real BuildKit and registry.

    python benchmarks/layers.py [--repeat N]

The image: this machine's Python, 70 locked packages, a network's weights, code (examples/layers/Dockerfile). Each row
builds and pushes it after a change of one line of code; times are of the whole command, the median of N. "Cold" is a
builder that has never built anything. Needs what .ci/builders installs, and root.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.builders import Done, Workshop, change_code, met, project, python_base, workshop

GOAL = 0.10
"""Of the time without cached layers: what a change of code may take on a cold builder with the registry's."""

FIRST = """\
ARG BASE
FROM ${BASE}
ENV PYTHONPATH=/dependencies:/weights:/app
COPY . /app
RUN --network=none ["python", "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--no-index", \
"--find-links=/app/wheels", "--require-hashes", "--target=/dependencies", "--requirement=/app/requirements.txt"]
WORKDIR /app
"""
"""The usual mistake: the whole folder first."""


@dataclass
class Bench:
    """A project in a workshop, changed by a line before each build."""

    shop: Workshop
    model: Path
    name: str
    changes: int = 0

    def build(self, *options: str) -> tuple[float, Done]:
        """Change the code, build, and return how long the command took."""
        self.changes += 1
        change_code(self.model, f"change {self.changes}")
        where = () if "--archive" in options else ("--push", self.name)
        began = time.perf_counter()
        done = self.shop.mlgate("build", *where, *options, cwd=self.model)
        took = time.perf_counter() - began
        if done.code:
            raise SystemExit(done.err)
        return took, done

    def cold(self, *options: str) -> tuple[float, Done]:
        """Do the same with a builder that has never built anything."""
        self.shop.cold()
        return self.build(*options)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=3, metavar="N")
    repeat = parser.parse_args().repeat
    if not met():
        raise SystemExit("run .ci/builders first, as root")
    with tempfile.TemporaryDirectory(prefix="mlgate-") as folder, workshop(Path(folder)) as shop:
        name = f"{shop.registry}/acme/summarizer"
        base = python_base(shop)
        model = project(Path(folder, "model"), base, f"{name}:buildcache")
        layers = f"local:{folder}/layers"
        bench = Bench(shop, model, name)
        whole, first = bench.cold("--cache", "none")
        print(f"packages and weights: {size(model)} MB unpacked; without cached layers: {whole:.1f} s, median of 1")
        print(f"{'ratio':>7} {'seconds':>8}  {'cached':>7}  what")
        row(whole, [(whole, first)], "no cached layers")
        row(whole, [bench.cold("--write-cache")], "no cached layers; writes them to the registry (main does, once)")
        row(whole, [bench.build("--cache", "none") for _ in range(repeat)], "warm builder: a desk")
        found = [bench.cold() for _ in range(repeat)]
        ratio = row(whole, found, "cold builder, registry mode=max: a pull request in CI")
        row(whole, [bench.cold("--archive", f"{folder}/image.tar") for _ in range(repeat)], "the same, to a file")
        rows = ("local", ["--cache", layers]), ("inline", ["--cache", "inline"])
        for kind, options in rows:
            if kind == "inline":
                configure(model, lambda text: text.replace(":buildcache", ":main"))
                bench.name = f"{name}:main"
            bench.cold(*options, "--write-cache")
            bench.name = name
            row(whole, [bench.cold(*options) for _ in range(repeat)], f"cold builder, {kind}")
        configure(model, lambda text: text.replace(":main", ":wrong"))
        (model / "Dockerfile").write_text(FIRST)
        bench.cold("--write-cache")
        row(whole, [bench.cold()], "cold builder, registry, but `COPY . /app` before `RUN pip install`")
    verdict = "reached" if ratio <= GOAL else "MISSED"
    print(f"goal: a pull request takes at most {GOAL:.0%} of the first line; it took {ratio:.1%}: {verdict}")


def row(whole: float, found: list[tuple[float, Done]], what: str) -> float:
    """Print one line and return its ratio."""
    took = statistics.median(seconds for seconds, _ in found)
    cached, steps = found[-1][1].cached
    print(f"{took / whole:7.1%} {took:8.1f}  {cached:>3}/{steps:<3}  {what}", flush=True)
    return took / whole


def configure(model: Path, change: Callable[[str], str]) -> None:
    """Change the project's mlgate.yaml."""
    file = model / "mlgate.yaml"
    file.write_text(change(file.read_text()))


def size(model: Path) -> int:
    """Return how much the wheels and the weights are, unpacked, in MB."""
    wheels = (zipfile.ZipFile(wheel).infolist() for wheel in model.glob("wheels/*.whl"))
    weights = sum(file.stat().st_size for file in (model / "weights").rglob("*") if file.is_file())
    return round((sum(info.file_size for infos in wheels for info in infos) + weights) / 1e6)


if __name__ == "__main__":
    main()
