"""A project that begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlgate.adapters.data import row_count
from mlgate.adapters.files import new_files
from mlgate.core.errors import ConfigError
from mlgate.reports import starter_files, starter_manifest
from mlgate.reports.starter_manifest import StarterManifest


def run_init(folder: Path, *, name: str, kind: starter_files.Kind, target: str, data: str) -> Iterator[Path]:
    """Write a working configuration into *folder*, with what it names and is not there; yield each file."""
    examples = row_count.count(folder / data) if data else None
    return new_files.write(folder, starter_files.files(name, kind, target, data, examples))


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
