"""A change's archive brings its image into a real engine, and no name with it: the baseline stays what it was."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.child_environment import child_environment
from tests.support.images import archive

from mlgate.adapters.docker import archive as docker_archive
from mlgate.adapters.docker.image import found, resolve
from mlgate.config.sections.image import Image as Section
from mlgate.config.sections.model import ModelSection
from mlgate.core.errors import ConfigError, ModelError, Refused
from mlgate.wiring.images import Images

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.needs_docker

Rewrite = Callable[[str, bytes], bytes | None]


class Shelf:
    """Images FROM scratch under a name of this test, and archives of them."""

    def __init__(self, client: DockerClient, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.name = f"mlgate-archive-{secrets.token_hex(6)}"
        self.made: list[str] = []

    def image(self, content: str, tag: str = "") -> str:
        """Build an image with *content* in it; return its ID."""
        lines = 'FROM scratch\nCOPY content /content\nCMD ["/content"]\n'
        files = {"Dockerfile": lines, "content": f"{self.name} {content}"}
        image, _ = self.client.images.build(fileobj=archive(files), custom_context=True, tag=tag or None, rm=True)
        self.made.append(str(image.id))
        return str(image.id)

    def saved(self, *names: str) -> Path:
        """Return an archive of *names*, which then leave the engine."""
        path = self.folder / f"{secrets.token_hex(4)}.tar"
        subprocess.run(["docker", "save", "--output", str(path), *names], check=True, env=child_environment())
        subprocess.run(["docker", "rmi", *names], check=True, capture_output=True, env=child_environment())
        return path

    def rewritten(self, path: Path, rewrite: Rewrite, *more: tuple[tarfile.TarInfo, bytes]) -> Path:
        """Return an archive with other contents: None leaves a member out."""
        other = path.with_suffix(".other.tar")
        with tarfile.open(path) as old, tarfile.open(other, "w") as new:
            for info in old:
                source = old.extractfile(info) if info.isreg() else None
                data = rewrite(info.name, source.read() if source else b"")
                if data is not None:
                    info.size = len(data)
                    new.addfile(info, io.BytesIO(data))
            for info, data in more:
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
        return other

    def clean(self) -> None:
        for image in self.made:
            subprocess.run(
                ["docker", "rmi", "--force", image], check=False, capture_output=True, env=child_environment()
            )


@pytest.fixture
def shelf(client: DockerClient, tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(client, tmp_path)
    yield made
    made.clean()


def tagged(*tags: str) -> Rewrite:
    """Give the archive's image these names, in every list that there is."""

    def rewrite(name: str, data: bytes) -> bytes:
        if name == "manifest.json":
            return json.dumps([{**one, "RepoTags": list(tags)} for one in json.loads(data)]).encode()
        return data

    return rewrite


def model(ref: str) -> ModelSection:
    return ModelSection.model_validate({"name": "m", "image": {"ref": ref, "protocol": "kserve-v1"}})


def section(ref: str) -> Section:
    given = model(ref).image
    assert given is not None
    return given


@pytest.mark.parametrize(
    "tags", [[], ["{base}"], ["{base}", "{base}-too", "{name}:more"]], ids=["none", "base", "many"]
)
def test_an_archive_brings_its_image_and_none_of_its_names(client: DockerClient, shelf: Shelf, tags: list[str]) -> None:
    base = f"{shelf.name}:main"
    old = shelf.image("old", base)
    new = shelf.image("new", f"{shelf.name}:change")
    names = [one.format(base=base, name=shelf.name) for one in tags]
    path = shelf.rewritten(shelf.saved(f"{shelf.name}:change"), tagged(*names))
    assert found(client, new) is None
    images = Images(shelf.folder, section(base), path)
    images.digest(model(new))  # resolves the baseline, then takes the candidate in
    assert found(client, new) is not None
    assert resolve(client, base).id == old
    assert {tag for image in client.images.list(shelf.name) for tag in image.tags} == {base}
    images.close()


def test_what_docker_load_would_have_made_of_it(client: DockerClient, shelf: Shelf) -> None:
    """The fault itself: the engine gives the baseline's name to the change's image."""
    base = f"{shelf.name}:main"
    shelf.image("old", base)
    new = shelf.image("new", f"{shelf.name}:change")
    path = shelf.rewritten(shelf.saved(f"{shelf.name}:change"), tagged(base))
    subprocess.run(
        ["docker", "load", "--quiet", "--input", str(path)], check=True, capture_output=True, env=child_environment()
    )
    assert resolve(client, base).id == new


def test_an_archive_of_two_images_or_of_another_one_is_refused(client: DockerClient, shelf: Shelf) -> None:
    one, two = (shelf.image(what, f"{shelf.name}:{what}") for what in ("one", "two"))
    both = shelf.saved(f"{shelf.name}:one", f"{shelf.name}:two")
    with pytest.raises(Refused, match="holds 2 images"):
        docker_archive.take(client, both, one)
    assert found(client, one) is None
    two = shelf.image("two", f"{shelf.name}:two")
    other = shelf.saved(f"{shelf.name}:two")
    with pytest.raises(Refused, match=f"{one} was announced"):
        docker_archive.take(client, other, one)
    with pytest.raises(ConfigError, match="needs the ID"):
        docker_archive.take(client, other, f"{shelf.name}:two")
    assert docker_archive.take(client, other, two).id == two


def _link(name: str, target: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, target
    return made


@pytest.mark.parametrize(
    "more",
    [
        [(tarfile.TarInfo("manifest.json"), b"[]")],
        [(tarfile.TarInfo("./manifest.json"), b"[]")],
        [(tarfile.TarInfo("a/../manifest.json"), b"[]")],
        [(tarfile.TarInfo("/manifest.json"), b"[]")],
        [(_link("here", "."), b""), (tarfile.TarInfo("here/manifest.json"), b"[]")],
    ],
    ids=["twice", "dot", "up", "root", "link"],
)
def test_an_archive_that_writes_its_list_again_is_refused(
    client: DockerClient, shelf: Shelf, more: list[tuple[tarfile.TarInfo, bytes]]
) -> None:
    new = shelf.image("new", f"{shelf.name}:change")
    path = shelf.rewritten(shelf.saved(f"{shelf.name}:change"), lambda _, data: data, *more)
    with pytest.raises(Refused):
        docker_archive.take(client, path, new)
    assert found(client, new) is None


@pytest.mark.parametrize("data", [b"", b"no archive", bytes(2048)])
def test_what_is_no_archive_is_said_to_be_none(client: DockerClient, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    with pytest.raises((ModelError, Refused), match="archive"):
        docker_archive.take(client, path, "sha256:" + 64 * "0")


def test_lists_of_engines_with_a_containerd_store_lose_their_names_too(client: DockerClient, shelf: Shelf) -> None:
    seen: dict[str, Any] = {}
    index = {"manifests": [{"digest": "sha256:1", "annotations": {"io.containerd.image.name": "base"}}]}
    new = shelf.image("new", f"{shelf.name}:change")
    path = shelf.saved(f"{shelf.name}:change")
    path = shelf.rewritten(
        path,
        lambda name, data: None if name == "index.json" else data,
        (tarfile.TarInfo("index.json"), json.dumps(index).encode()),
    )
    with tarfile.open(path) as tar:
        data = b"".join(docker_archive._stream(tar, list(docker_archive._parts(tar, path))))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for name in ("manifest.json", "index.json"):
            source = tar.extractfile(name)
            assert source is not None
            seen[name] = json.loads(source.read())
        assert "repositories" not in tar.getnames()
    assert seen["manifest.json"][0]["RepoTags"] is None
    assert seen["index.json"]["manifests"] == [{"digest": "sha256:1"}]
    assert found(client, new) is None


def test_a_baseline_whose_name_points_elsewhere_afterwards_is_refused(client: DockerClient, shelf: Shelf) -> None:
    base = f"{shelf.name}:main"
    old = shelf.image("old", base)
    new = shelf.image("new", f"{shelf.name}:change")
    images = Images(shelf.folder, section(base))
    images.digest(model(base))
    client.images.get(new).tag(shelf.name, "main")  # what a build at a desk, or anybody, may do meanwhile
    with pytest.raises(Refused, match=f"was {old} when this run began"):
        images.digest(model(f"{shelf.name}:change"))
    with pytest.raises(Refused):
        images.start(model(base), "run")
    images.close()


def test_the_baseline_is_resolved_before_the_candidate_is_built(client: DockerClient, shelf: Shelf) -> None:
    """A build at a desk that takes the baseline's name with it."""
    base = "mlgate-candidate:latest"
    kept = found(client, base)
    old = shelf.image("old", base)
    (shelf.folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    built = ModelSection.model_validate({"name": "m", "image": {"build": {"context": "."}, "protocol": "kserve-v1"}})
    images = Images(shelf.folder, section(base))
    with pytest.raises(Refused, match=old):
        images.digest(built)
    images.close()
    shelf.made.append(base)
    if kept is not None:
        client.images.get(kept.id).tag("mlgate-candidate", "latest")
        shelf.made.pop()
