"""What an image in a registry consists of, by content: each digest is of the bytes that were read."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlgate.core import strict_json
from mlgate.core.deploy.release import BY_DIGEST, PushedImage
from mlgate.core.errors import AdapterError, ConfigError, Refused

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LARGEST = 4 << 20
"""Bytes of a manifest: registries take no larger ones."""
_ASK_S = 120
_MOST = 16
"""Manifests of an index."""
_ATTESTATION = "vnd.docker.reference.type"
"""The annotation of a manifest that says something of another one."""
_NOWHERE = {"architecture": "unknown", "os": "unknown"}
"""The platform of such a manifest, which no engine takes. The annotation alone keeps no engine from running it."""
_NAMES = frozenset({"manifests", "config", "layers", "mediaType", "schemaVersion", "digest", "platform", "annotations"})
"""Names of fields. Engines take `Config` for `config`, too."""

Fetch = Callable[[str], bytes]
"""The bytes of the manifest `name@sha256:…`."""


def pushed_image(ref: str, fetch: Fetch) -> PushedImage:
    """Return what engines call the image *ref*, `name@sha256:…`: its configuration's digest, and its manifest's.

    Raises ConfigError for a name without a digest, Refused for bytes of another digest and for an index of several
    images, AdapterError for what is no manifest.
    """
    named = BY_DIGEST.fullmatch(ref)
    if named is None:
        raise ConfigError(f"{ref!r} is no image by its digest", where="--image", hint="write NAME@sha256:DIGEST")
    digest = named["digest"]
    manifest = _manifest(named["name"], digest, fetch)
    ids = {digest}
    if "manifests" in manifest:
        digest = _only_image(ref, manifest["manifests"])
        ids.add(digest)
        manifest = _manifest(named["name"], digest, fetch)
    return PushedImage(ref, frozenset({*ids, _digest(manifest.get("config"), ref)}))


def _manifest(name: str, digest: str, fetch: Fetch) -> Mapping[str, Any]:
    content = fetch(f"{name}@{digest}")
    if len(content) > _LARGEST:
        raise AdapterError(f"the manifest of {name}@{digest} has more than {_LARGEST >> 20} MB")
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise Refused(f"the registry gave another manifest than {name}@{digest}", hint="is the registry the right one?")
    try:
        found = strict_json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise AdapterError(f"{name}@{digest} is no image: its manifest is no sound JSON: {error}") from error
    if not isinstance(found, dict):
        raise AdapterError(f"{name}@{digest} is no image: its manifest is no object")
    _demand_one_meaning(found, f"{name}@{digest}")
    return found


def _demand_one_meaning(found: Mapping[str, Any], ref: str) -> None:
    """Raise Refused for a manifest that an engine may read otherwise: then another image would run than was judged."""
    entries = found.get("manifests")
    for one in (found, found.get("config"), *(entries if isinstance(entries, list) else ())):
        for name in one if isinstance(one, dict) else ():
            if name not in _NAMES and name.casefold() in {known.casefold() for known in _NAMES}:
                raise Refused(f"the manifest of {ref} has a field {name!r}, which engines read in different ways")
    if "manifests" in found and ("config" in found or "layers" in found):
        raise Refused(f"{ref} is both an image and an index of images: engines run different ones")


def _only_image(ref: str, entries: object) -> str:
    """Return the digest of an index's one image. What says something of an image is none."""
    if not isinstance(entries, list) or len(entries) > _MOST:
        raise AdapterError(f"{ref} is no image: its index has no list of at most {_MOST}")
    images = [one for one in entries if not _only_says(one)]
    if len(images) != 1:
        raise Refused(
            f"{ref} is an index of {len(images)} images, and one was judged",
            hint="push an image of one platform; or deploy the digest of the one that was judged",
        )
    return _digest(images[0], ref)


def _only_says(entry: object) -> bool:
    """Whether an index's entry says something of another one, and no engine runs it, whatever its platform is."""
    notes = entry.get("annotations") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(notes, dict):
        return False
    return _ATTESTATION in notes and entry.get("platform") == _NOWHERE


def _digest(entry: object, ref: str) -> str:
    found = entry.get("digest") if isinstance(entry, dict) else None
    if not isinstance(found, str) or not _DIGEST.fullmatch(found):
        raise AdapterError(f"{ref} is no image: its manifest names nothing by a digest")
    return found


def fetch_by(buildx: Callable[[], Sequence[str]]) -> Fetch:
    """Return what reads manifests by buildx, with the logins of the docker command.

    *buildx* finds the words that start it; it is asked when something is read.
    """

    def fetch(ref: str) -> bytes:
        words = [*buildx(), "imagetools", "inspect", "--raw", ref]
        try:
            done = subprocess.run(words, capture_output=True, check=False, timeout=_ASK_S, stdin=subprocess.DEVNULL)  # noqa: S603 - a list, no shell; the name has the form of an image's
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AdapterError(
                f"the registry cannot be asked for {ref}: {error}", hint="docker buildx version"
            ) from error
        if done.returncode:
            said = " ".join(done.stderr.decode(errors="replace").split())[:300]
            raise AdapterError(f"the registry does not give {ref}: {said}", hint="docker login, and is it pushed?")
        return done.stdout

    return fetch
