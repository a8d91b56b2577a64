"""A folder of rendered manifests: one file an object, a kustomization.yaml, and a list of what mlgate wrote.

Each file is written whole or not at all. The list comes first and last: whoever dies in between leaves one that names
all that may be there. What it does not name is somebody else's, and is left alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import yaml

from mlgate.adapters.files import safe_file
from mlgate.adapters.kubernetes import record_json
from mlgate.core import strict_json
from mlgate.core.deploy.release import Deployed
from mlgate.core.errors import AdapterError, EvidenceError, Refused

LIST = "mlgate.rendered"
"""No name that kubectl, Argo CD or Flux take for a manifest."""
KUSTOMIZATION = "kustomization.yaml"
FORMAT = "mlgate.rendered/1"
_LARGEST = 1 << 26
_WIDE = 1 << 20
"""Characters of a line: YAML folds none."""


@dataclass(frozen=True, slots=True)
class RenderedFolder:
    """What stands in the list."""

    service: str = ""
    namespace: str = ""
    mode: str = ""
    stable: Deployed | None = None
    """What serves by these files; None: nothing yet."""
    candidate: Deployed | None = None
    """What gets its share beside it; None: nothing is rolled out."""
    weight: int = 0
    """The candidate's percent."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each file the SHA-256 that it may have: of a process that died in mid-write the one before, too."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a render did to a folder."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def read(folder: Path) -> RenderedFolder:
    """Return what the folder's list says; an empty one without a list.

    Raises EvidenceError where it is damaged, Refused where somebody changed a file that mlgate wrote: what is there is
    not what was judged.
    """
    path = folder / LIST
    try:
        text = safe_file.read(path, _LARGEST)
    except FileNotFoundError:
        return RenderedFolder()
    except OSError as error:
        raise AdapterError(f"could not read: {error.strerror}", where=str(path)) from error
    try:
        found = _parse(cast("dict[str, Any]", strict_json.loads(text.decode())))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        hint = "restore it: git checkout; or name a new folder"
        raise EvidenceError(f"the list of what was rendered is damaged: {error}", where=str(path), hint=hint) from error
    for name, allowed in found.files.items():
        there = _digest_at(folder / name)
        if there and there not in allowed:
            raise Refused(
                "somebody changed this file since mlgate wrote it",
                where=str(folder / name),
                hint="restore it: git checkout; patches of yours belong into a kustomization that names this folder",
            )
    return found


def demand_listed(folder: Path, found: RenderedFolder, objects: Iterable[Mapping[str, Any]]) -> None:
    """Raise Refused unless each of *objects*, which the list's models make, is what their files are.

    No tool applies the list: a change of it alone would first be seen in what the next render writes.
    """
    for one in objects:
        if _digest(_dumped(one)) not in found.files.get(_name(one), ()):
            raise Refused(
                f"the models in this list are not those in the files: {_name(one)} is another one",
                where=str(folder / LIST),
                hint="restore it: git checkout; where another version of mlgate wrote it, name a new folder",
            )


def write(folder: Path, before: RenderedFolder, now: RenderedFolder, objects: Iterable[Mapping[str, Any]]) -> Written:
    """Make the folder's files those of *objects*, and remove those of *before* that are none of them.

    Raises Refused where a file is in the way that mlgate did not write.
    """
    files = {_name(one): _dumped(one) for one in objects}
    files[KUSTOMIZATION] = _dumped(
        {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": sorted(files)}
    )
    digests = {name: (_digest(content),) for name, content in files.items()}
    for name, (digest,) in digests.items():
        there = _digest_at(folder / name)
        if there and there != digest and name not in before.files:
            raise Refused(
                "this file is in the way, and mlgate did not write it",
                where=str(folder / name),
                hint="render into a folder of its own",
            )
    both = {name: (*before.files.get(name, ()), *digests.get(name, ())) for name in {**before.files, **digests}}
    safe_file.write(folder / LIST, _list(replace(before, files=both)))
    written = [name for name in sorted(files) if _digest_at(folder / name) != digests[name][0]]
    for name in written:
        safe_file.write(folder / name, files[name])
    stale = [name for name in sorted(set(before.files) - set(files)) if _digest_at(folder / name)]
    for name in stale:
        _remove(folder / name)
    safe_file.write(folder / LIST, _list(replace(now, files=digests)))
    return Written(tuple(written), tuple(stale))


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['kind'].lower()}-{one['metadata']['name']}.yaml"


def _dumped(one: Mapping[str, Any]) -> bytes:
    text = yaml.safe_dump(
        json.loads(json.dumps(one)), sort_keys=False, default_flow_style=False, allow_unicode=True, width=_WIDE
    )
    return text.encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_at(path: Path) -> str:
    """Return the SHA-256 of a file; empty where there is none. What is no regular file is none of ours."""
    try:
        return _digest(safe_file.read(path, _LARGEST))
    except FileNotFoundError:
        return ""
    except OSError:
        return "no regular file"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise AdapterError(f"could not remove: {error.strerror}", where=str(path)) from error


def _list(now: RenderedFolder) -> bytes:
    document = {
        "format": FORMAT,
        "service": now.service,
        "namespace": now.namespace,
        "mode": now.mode,
        "stable": record_json.deployed(now.stable),
        "candidate": record_json.deployed(now.candidate),
        "weight": now.weight,
        "files": {name: list(digests) for name, digests in sorted(now.files.items())},
    }
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()


def _parse(document: Mapping[str, Any]) -> RenderedFolder:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}")
    texts = {name: document[name] for name in ("service", "namespace", "mode")}
    files = {name: tuple(digests) for name, digests in document["files"].items()}
    ours = [one for name, digests in files.items() for one in (name, *digests)]
    if not all(isinstance(one, str) for one in (*texts.values(), *ours)) or not isinstance(document["weight"], int):
        raise TypeError("an entry is of another type")
    for name in files:
        if Path(name).name != name or name == LIST or not name.endswith(".yaml"):
            raise ValueError(f"{name!r} is no file of mlgate's")
    return RenderedFolder(
        **texts,
        stable=record_json.read_deployed(document["stable"]),
        candidate=record_json.read_deployed(document["candidate"]),
        weight=document["weight"],
        files=files,
    )
