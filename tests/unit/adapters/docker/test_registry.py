"""An image in a registry is the one that was judged by its bytes, and by nothing that is said of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from mlgate.adapters.docker.registry import pushed_image
from mlgate.core.errors import AdapterError, ConfigError, GateError, Refused

NAME = "ghcr.io/acme/summarizer"
CONFIG = f"sha256:{'c' * 64}"
MANIFEST = {"schemaVersion": 2, "config": {"digest": CONFIG}, "layers": []}
NOTE = {"vnd.docker.reference.type": "attestation-manifest"}
SAYS = {
    "annotations": NOTE,
    "digest": f"sha256:{'a' * 64}",
    "platform": {"architecture": "unknown", "os": "unknown"},
}
ARM = {"architecture": "arm64", "os": "linux"}


class Registry:
    """Keeps bytes by their digest; *lies*: gives others."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def push(self, value: Any) -> str:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.kept[f"{NAME}@{digest}"] = content
        return digest

    def fetch(self, ref: str) -> bytes:
        return self.kept[ref]


def test_an_image_is_called_by_its_manifest_or_its_configuration() -> None:
    registry = Registry()
    digest = registry.push(MANIFEST)
    found = pushed_image(f"{NAME}@{digest}", registry.fetch)
    assert (found.ref, found.ids) == (f"{NAME}@{digest}", frozenset({digest, CONFIG}))


def test_an_index_of_one_image_and_what_is_said_of_it_is_that_image() -> None:
    registry = Registry()
    inner = registry.push(MANIFEST)
    outer = registry.push({"manifests": [{"digest": inner}, SAYS]})
    assert pushed_image(f"{NAME}@{outer}", registry.fetch).ids == {outer, inner, CONFIG}


def index(*entries: Any) -> Any:
    return {"manifests": list(entries)}


@pytest.mark.parametrize(
    ("kept", "kind"),
    [
        (index({"digest": f"sha256:{'1' * 64}"}, {"digest": f"sha256:{'2' * 64}"}), Refused),
        (index(SAYS), Refused),
        (index(), Refused),
        (index(*[SAYS] * 17), AdapterError),
        ({"manifests": "many"}, AdapterError),
        (index({"digest": "sha512:1"}), AdapterError),
        (index("sha256:1"), AdapterError),
        ({"layers": []}, AdapterError),
        ({"config": {"digest": CONFIG.upper()}}, AdapterError),
        ({"config": {"digest": f"{CONFIG} "}}, AdapterError),
        (index({"digest": f"sha256:{'1' * 64}"}, {**SAYS, "platform": ARM}), Refused),
        (index({"digest": f"sha256:{'1' * 64}"}, {"annotations": NOTE, "digest": f"sha256:{'2' * 64}"}), Refused),
        (index({"digest": f"sha256:{'1' * 64}", "Digest": f"sha256:{'2' * 64}"}), Refused),
        (index({"digest": f"sha256:{'1' * 64}"}, {"annotations": 5, "digest": f"sha256:{'2' * 64}"}), Refused),
        ({**MANIFEST, "manifests": [{"digest": f"sha256:{'1' * 64}"}]}, Refused),
        ({**MANIFEST, "Config": {"digest": f"sha256:{'2' * 64}"}}, Refused),
        ({**MANIFEST, "Manifests": []}, Refused),
        ({**MANIFEST, "Manife\u017fts": []}, Refused),  # Go folds the long s, too
        (b'{"config": {"digest": "sha256:1"}, ' + json.dumps(MANIFEST).encode()[1:], AdapterError),
        (b"<html>", AdapterError),
        (b"[]", AdapterError),
        (b"[" * 100_000, AdapterError),
        (b" " * (4 << 20) + b"{}", AdapterError),
    ],
)
def test_what_is_not_one_image_is_refused(kept: Any, kind: type[GateError]) -> None:
    registry = Registry()
    with pytest.raises(kind):
        pushed_image(f"{NAME}@{registry.push(kept)}", registry.fetch)


def test_bytes_of_another_digest_are_refused() -> None:
    registry = Registry()
    digest = registry.push(MANIFEST)
    registry.kept[f"{NAME}@{digest}"] += b" "
    with pytest.raises(Refused, match="another manifest"):
        pushed_image(f"{NAME}@{digest}", registry.fetch)


@pytest.mark.parametrize("ref", [NAME, f"{NAME}:v1", f"{NAME}@sha256:1", f"--builder@sha256:{'1' * 64}", ""])
def test_only_a_digest_names_what_is_deployed(ref: str) -> None:
    with pytest.raises(ConfigError, match="by its digest"):
        pushed_image(ref, Registry().fetch)
