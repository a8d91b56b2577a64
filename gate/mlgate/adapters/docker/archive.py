"""An image that another job built, as a file of `docker save`: taken into the engine by its content, without its names.

`docker load` sets whatever names an archive holds. An archive of a change could so give its own image the name of the
baseline, or of the load generator. So the list of names is left out of what the engine is given, and what it took must
be the one image that was announced.
"""

from __future__ import annotations

import io
import json
import posixpath
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlgate.adapters.docker.engine import engine_errors
from mlgate.adapters.docker.image import Image, describe
from mlgate.core.errors import ConfigError, ModelError, Refused

if TYPE_CHECKING:
    from docker import DockerClient

ID = re.compile(r"sha256:[0-9a-f]{64}")
"""The engine's own name of an image, which its content decides."""
_LIST = "manifest.json"
"""docker's list of images: their configuration, layers and names."""
_INDEX = "index.json"
"""The same for engines with a containerd store (OCI image layout)."""
_NAMES = "repositories"
"""Names alone, for engines before 1.10."""
_LARGEST_LIST = 4 << 20
"""Bytes of a list that are read."""
_MOST_MEMBERS = 100_000
"""Members of an archive."""
_CHUNK_BYTES = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_LOAD_S = 3600
_TAKEN = re.compile(r"Loaded image ID: (\S+)")
_NAMED = re.compile(r"Loaded image: (\S+)")


@dataclass(frozen=True, slots=True)
class _Part:
    """One member of an archive, as it is handed on."""

    info: tarfile.TarInfo
    text: bytes | None = None
    """What stands in place of its content; None: its own."""


def is_id(ref: str) -> bool:
    """Whether *ref* names an image by its content."""
    return ID.fullmatch(ref) is not None


def take(client: DockerClient, archive: Path, expected: str) -> Image:
    """Put the one image of *archive* into the engine under no name, and return it.

    Raises ConfigError unless *expected* is an image's ID, ModelError for a file that cannot be read or loaded, Refused
    for one that holds another image, or several.
    """
    if not is_id(expected):
        raise ConfigError(
            f"--image-archive needs the ID of the image in it, not {expected[:100]!r}",
            hint="write --image sha256:…, as `docker inspect --format {{.Id}}` says",
        )
    try:
        with tarfile.open(archive, "r:*") as tar:
            taken = _loaded_images(client, _stream(tar, list(_parts(tar, archive))), archive)
    except (OSError, EOFError, tarfile.TarError, ValueError, RecursionError) as error:
        raise ModelError(f"the image's archive cannot be read: {error}", where=str(archive)) from error
    if taken != [expected]:
        held = ", ".join(taken)[:300] or "no image"
        raise Refused(f"the archive holds {held}, and {expected} was announced", where=str(archive))
    with engine_errors("the image of the archive is not there", ModelError):
        return describe(client.images.get(expected).attrs, expected)


def _parts(tar: tarfile.TarFile, archive: Path) -> Iterator[_Part]:
    """Yield the members, with lists without names. Raises Refused for an archive that could mean another one."""
    members: list[tuple[str, tarfile.TarInfo]] = []
    known: set[str] = set()
    links: set[str] = set()
    for info in tar:
        name = posixpath.normpath("/" + info.name).lstrip("/")
        if not name and info.isdir():
            continue  # `./`, the archive's own folder
        special = info.name.removeprefix("./").rstrip("/") != name or name in known
        if (
            len(members) >= _MOST_MEMBERS
            or special
            or not (info.isreg() or info.isdir() or info.issym() or info.islnk())
        ):
            raise Refused(f"the archive has a member that no image needs: {info.name[:100]!r}", where=str(archive))
        known.add(name)
        links |= {name} if info.issym() or info.islnk() else set()
        members.append((name, info))
    if _LIST not in known:
        raise Refused("the archive has no list of its images", where=str(archive), hint="write it by docker save")
    for name, info in members:
        parents = {name[:place] for place, letter in enumerate(name) if letter == "/"}
        if parents & links or name in {_LIST, _INDEX, _NAMES} & links:
            raise Refused(f"the archive writes through a link: {info.name[:100]!r}", where=str(archive))
        if name == _NAMES:
            continue
        yield _Part(info, _nameless(tar, name, info, archive) if name in {_LIST, _INDEX} else None)


def _nameless(tar: tarfile.TarFile, name: str, info: tarfile.TarInfo, archive: Path) -> bytes:
    """Return a list of images without their names. Raises Refused unless it is one image."""
    source = tar.extractfile(info)
    assert source is not None  # it is a regular file
    if info.size > _LARGEST_LIST:
        raise ValueError(f"{name} is larger than {_LARGEST_LIST} bytes")
    value = json.loads(source.read())
    images = value if name == _LIST else value.get("manifests") if isinstance(value, dict) else None
    if not isinstance(images, list) or not all(isinstance(one, dict) for one in images):
        raise ValueError(f"{name} is no list of images")
    if len(images) != 1:
        raise Refused(f"the archive holds {len(images)} images, and one is tested", where=str(archive))
    if name == _LIST:
        return json.dumps([{**images[0], "RepoTags": None}]).encode()
    return json.dumps({**value, "manifests": [{k: v for k, v in images[0].items() if k != "annotations"}]}).encode()


def _stream(tar: tarfile.TarFile, parts: Iterable[_Part]) -> Iterator[bytes]:
    """Yield the archive anew, a piece at a time."""
    for part in parts:
        info = part.info
        source: IO[bytes] | None = io.BytesIO(part.text) if part.text is not None else None
        if part.text is not None:
            info = tarfile.TarInfo(info.name)
            info.size = len(part.text)
        elif info.isreg():
            source = tar.extractfile(info)
            info.type = tarfile.REGTYPE
        info.pax_headers = {}
        yield info.tobuf(tarfile.PAX_FORMAT)
        while source is not None and (data := source.read(_CHUNK_BYTES)):
            yield data
        if source is not None:
            yield bytes(-info.size % _BLOCK)
    yield bytes(2 * _BLOCK)


def _loaded_images(client: DockerClient, data: Iterator[bytes], archive: Path) -> list[str]:
    """Return what the engine says that it took: an ID each, or a name, which nothing should have had."""
    api: Any = client.api
    kept, api.timeout = api.timeout, _LOAD_S
    try:
        with engine_errors("the image's archive cannot be loaded", ModelError, "write it by docker save"):
            said = [_line(line, archive) for line in api.load_image(data, quiet=False)]
    finally:
        api.timeout = kept
    if named := [name for line in said for name in _NAMED.findall(line)]:
        raise Refused(f"the archive gave an image a name: {', '.join(named)[:300]}", where=str(archive))
    return [found for line in said for found in _TAKEN.findall(line)]


def _line(line: Mapping[str, object], archive: Path) -> str:
    if error := line.get("error"):
        raise ModelError(f"the image's archive cannot be loaded: {str(error)[:300]}", where=str(archive))
    return str(line.get("stream") or "")
