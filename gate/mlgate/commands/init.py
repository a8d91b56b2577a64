"""A project that begins."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from mlgate.adapters.files import new_files
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.reports import starter_files, starter_manifest
from mlgate.reports.starter_files import StarterData
from mlgate.reports.starter_manifest import StarterManifest

USUAL_NAME = "my-model"
"""What reports call a model that nobody named."""


def run_init(folder: Path, *, name: str, kind: starter_files.Kind, target: str, data: str) -> Iterator[Path]:
    """Write a working configuration into *folder*, with what it names and is not there; yield each file.

    *data* is a file, or the keys that read it, `{path: test.csv, input: question}`. Raises ConfigError where it cannot
    be told how it is read; then nothing is written.
    """
    found = _own(folder, data, name, kind, target) if data else StarterData()
    return new_files.write(folder, starter_files.files(name, kind, target, found))


def _own(folder: Path, data: str, name: str, kind: starter_files.Kind, target: str) -> StarterData:
    from mlgate.wiring.starter import metrics, own_data

    try:
        own = own_data.find_out(folder, data)
        what = f"{own.format}: `{own.input}` is asked, `{own.references}` is right"
        starter = StarterData(own.written, what, len(own.dataset.examples), is_sample=False)
        fits = partial(metrics.fits, folder, own.dataset.examples)
        for rules in metrics.candidates(own):
            left = {
                metric: least
                for metric, least in rules.items()
                if fits(_text(name, kind, target, replace(starter, rules={metric: least})))
            }
            if left:
                return replace(starter, rules=left)
    except EvidenceError as error:
        raise EvidenceError(error.message, hint=error.hint.replace("`data:`", "--data"), where=error.where) from error
    except ConfigError as error:
        begun = _command(folder, name, kind, target)
        hint = re.sub(r"`data: (\{[^`]*\})`", lambda line: f"`{begun} --data {shlex.quote(line[1])}`", error.hint)
        raise ConfigError(error.message, hint=hint, where=error.where) from error
    raise ConfigError("no metric suits these references", hint="see docs/reference/metrics.md", where=data)


def _command(folder: Path, name: str, kind: starter_files.Kind, target: str) -> str:
    """Return the command as it was given, but for its data."""
    words = [*([] if folder == Path() else [str(folder)]), *([f"--{kind}", target] if target else [])]
    words += [] if name == USUAL_NAME else ["--name", name]
    return shlex.join(["mlgate", "init", *words])


def _text(name: str, kind: starter_files.Kind, target: str, data: StarterData) -> str:
    return starter_files.files(name, kind, target, data)["mlgate.yaml"]


def run_init_deploy(config: Path, kind: starter_manifest.Kind) -> Iterator[Path]:
    """Write a manifest for the image of the file *config*, from what the last run measured; yield the file."""
    from mlgate.commands.deploy.preflight import last_measured
    from mlgate.commands.run_options import RunOptions
    from mlgate.config.load import load

    read = load(config)
    image = read.model.image
    if image is None:
        raise ConfigError(
            "a manifest runs an image, and the model of this file is not one",
            where=read.where("model"),
            hint="write model: {image: {ref: NAME, …}}",
        )
    service = read.document.deploy.service if read.document.deploy else read.model.name
    named = (image.ref or f"registry.example.com/{service}").partition("@")[0]
    gpus = image.gpus if isinstance(image.gpus, int) else 1
    made = StarterManifest(service, named, image.cpus, gpus, last_measured(read, RunOptions(config)))
    path = read.document.deploy.manifest if read.document.deploy else f"deploy/{service}.yaml"
    return new_files.write(read.root, {path: made.render(kind)})
