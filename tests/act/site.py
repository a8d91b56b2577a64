"""A builder and a registry of a test's own, as the steps of a run find them, and the image of a small model."""

from __future__ import annotations

import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.builders import TOOLS, Workshop, python_base, workshop
from tests.support.child_environment import child_environment
from tests.support.waiting import PATIENCE

DOCKERFILE = """\
ARG BASE
FROM ${{BASE}}
LABEL mlgate-test={registry}
COPY model.py /model.py
CMD ["python", "-u", "/model.py"]
"""


@dataclass(frozen=True)
class Site:
    """A builder and a registry, and how the steps of a run find them."""

    shop: Workshop
    base: str
    env: Mapping[str, str]
    name: str

    @property
    def image(self) -> str:
        return f"{self.shop.registry}/acme/{self.name}"

    @property
    def build(self) -> str:
        """How mlgate.yaml says that the image is built."""
        return f'{{context: ., args: {{BASE: "{self.base}"}}, cache: "{self.shop.registry}/acme/layers:buildcache"}}'

    @property
    def dockerfile(self) -> str:
        return DOCKERFILE.format(registry=self.shop.registry)

    def clean(self) -> None:
        """Remove from the engine what these tests brought there."""
        listed = ["docker", "images", "--all", "--quiet", "--filter", f"label=mlgate-test={self.shop.registry}"]
        found = subprocess.run(
            listed, capture_output=True, text=True, check=True, env=child_environment()
        ).stdout.split()
        if found:
            subprocess.run(
                ["docker", "rmi", "--force", *sorted(set(found))],
                capture_output=True,
                check=False,
                env=child_environment(),
            )

    def digest(self, tag: str) -> str:
        """What the registry has under a tag; empty for none."""
        request = urllib.request.Request(
            f"http://{self.shop.registry}/v2/acme/{self.name}/manifests/{tag}", method="HEAD"
        )
        kinds = ("oci.image.manifest.v1", "oci.image.index.v1", "docker.distribution.manifest.v2")
        request.add_header("Accept", ", ".join(f"application/vnd.{kind}+json" for kind in kinds))
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as said:  # noqa: S310 - http, to this test's own registry
                return str(said.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError:
            return ""


@contextmanager
def opened(folder: Path, name: str = "clerk") -> Iterator[Site]:
    """Open a site in a folder, for the image acme/*name*."""
    plugins = folder / "docker/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(TOOLS / "buildx")
    with workshop(folder) as shop:
        env = {"BUILDX_CONFIG": shop.env["BUILDX_CONFIG"], "BUILDX_BUILDER": shop.env["BUILDX_BUILDER"]}
        made = Site(shop, python_base(shop), {**env, "DOCKER_CONFIG": str(folder / "docker")}, name)
        yield made
        made.clean()
    shutil.rmtree(folder, ignore_errors=True)
