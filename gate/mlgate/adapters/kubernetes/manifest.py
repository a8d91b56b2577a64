"""A person's manifest as a release of its own: named by its content, with selectors that match it alone. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, INFERENCE_SERVICE, MANIFEST_KINDS, Kind
from mlgate.core.check import Json, digest_of
from mlgate.core.deploy.release import Deployed, Release
from mlgate.core.errors import ConfigError, Refused

SERVICE_LABEL = "mlgate.dev/service"
RELEASE_LABEL = "mlgate.dev/release"
"""Stamped on the pods, never on the metadata of an InferenceService that runs: a change there restarts all its pods."""
COMMIT_NOTE = "mlgate.dev/commit"
VERDICT_NOTE = "mlgate.dev/verdict"
ATTESTATION_NOTE = "mlgate.dev/attestation"

_STORAGE_VARIABLE = "STORAGE_URI"
"""By it KServe loads a model into a container of the user's own, as by `storageUri`."""
_KSERVES_OWN = "internal.serving.kserve.io/"
"""Of annotations that KServe writes for itself: by `…/storage-initializer-sourceuri` it loads a model into a pod."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SHORT = 8
_LONGEST_NAME = 63 - len("-predictor")
"""Of a release: KServe appends to it, and a label holds 63."""


def released(
    service: str, release: Release, documents: Sequence[Mapping[str, Json]], *, keeps_names: bool = False
) -> Deployed:
    """Return *documents* as the release of *service*: named by their content, so that the same content is the same.

    *keeps_names*: its objects are called as the service, for modes in which one object runs both models.
    """
    content = digest_of([dict(one) for one in documents])
    name = f"{service}-{content[:_SHORT]}"
    if len(name) > _LONGEST_NAME:
        raise ConfigError(
            f"the service's name {service!r} is too long", hint=f"at most {_LONGEST_NAME - _SHORT - 1} characters"
        )
    base = str((workload(documents).get("metadata") or {}).get("name") or service)
    if keeps_names and len(documents) > 1:
        other = next(one for one in documents if one is not workload(documents))
        raise ConfigError(
            f"the manifest has a {kind_of(other)}, and in this mode both models are one object",
            hint="apply it by itself: kubectl apply; and keep the InferenceService here",
        )
    own = tuple(_own(one, base, name, service, release) for one in documents)
    if keeps_names:
        for one in own:
            one["metadata"]["name"] = _new_name(str(one["metadata"]["name"]), name, service)
            one["metadata"]["labels"].pop(RELEASE_LABEL)  # a change there restarts all pods
    return Deployed(release, own, name)


def adopted(found: Mapping[str, Any], *others: Mapping[str, Any]) -> Deployed:
    """Return a workload that somebody else made, as what serves now: without what the server adds."""
    documents = tuple(_without_server_fields(one) for one in (found, *others))
    return Deployed(Release(), documents, str(found["metadata"]["name"]), is_adopted=True)


def adopted_in_place(service: str, found: Mapping[str, Any]) -> Deployed:
    """Return an InferenceService that somebody else made, as a release of its own, for modes of one object.

    Its specification is left alone until it has to be written again; then it bears the release's label.
    """
    document = _without_server_fields(found)
    document["spec"]["predictor"].pop("canaryTrafficPercent", None)
    document["spec"].pop("canary", None)
    return replace(released(service, Release(), [document], keeps_names=True), is_adopted=True)


def _without_server_fields(found: Mapping[str, Any]) -> dict[str, Any]:
    metadata = copy.deepcopy(found["metadata"])
    kept = {key: metadata[key] for key in ("name", "labels", "annotations") if metadata.get(key)}
    kept.get("annotations", {}).pop(_LAST_APPLIED, None)
    return copy.deepcopy({key: found[key] for key in ("apiVersion", "kind", "spec")}) | {"metadata": kept}


def demand_shape(document: Mapping[str, Any]) -> None:
    """Raise ConfigError for a document that has not the parts that its kind has: the server would say it later."""
    parts: list[tuple[str, ...]] = [("metadata",), ("spec",)]
    kind = kind_of(document)
    if kind is INFERENCE_SERVICE:
        parts += [("spec", "predictor")]
    elif kind is DEPLOYMENT:
        parts += [("spec", "template"), ("spec", "template", "spec")]
    for way in parts:
        found: Any = document
        for key in way:
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            raise ConfigError(f"the {kind} has no {'.'.join(way)}", hint="kubectl explain says what belongs there")
    template = pod_template(document) if kind in (INFERENCE_SERVICE, DEPLOYMENT) else {}
    pod = template.get("spec", {}) if kind is DEPLOYMENT else template
    containers = pod.get("containers", [])
    if not isinstance(containers, list) or not all(isinstance(one, dict) for one in containers):
        raise ConfigError(
            f"the containers of the {kind} are no list of objects", hint="containers: [{name: …, image: …}]"
        )
    if not isinstance(document["metadata"].get("name", ""), str):
        raise ConfigError(f"the name of the {kind} is no text", hint="quote it")


def workload(documents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the object that runs the model. Raises ConfigError unless there is exactly one."""
    found = [one for one in documents if kind_of(one) in (INFERENCE_SERVICE, DEPLOYMENT)]
    if len(found) != 1:
        raise ConfigError(
            f"the manifest has {len(found)} objects that run a model",
            hint="it needs exactly one InferenceService or Deployment",
        )
    return found[0]


def kind_of(document: Mapping[str, Any]) -> Kind:
    """Return the kind of one document. Raises ConfigError for what mlgate does not deploy."""
    key = (str(document.get("apiVersion")), str(document.get("kind")))
    if key not in MANIFEST_KINDS:
        known = ", ".join(sorted(kind.name for kind in MANIFEST_KINDS.values()))
        raise ConfigError(
            f"the manifest has a {key[1]} ({key[0]}), which is not part of a release",
            hint=f"apply it by itself, and keep here: {known}",
        )
    return MANIFEST_KINDS[key]


def with_image(documents: Sequence[Mapping[str, Any]], image: str) -> tuple[dict[str, Any], ...]:
    """Return *documents* with the model's container running *image*, `name@sha256:…`.

    Raises Refused where the container that is there runs another repository's image, or another digest of it.
    """
    found = [copy.deepcopy(dict(one)) for one in documents]
    template = pod_template(workload(found))
    container = model_container(workload(found))
    loads = next(_loads(workload(found), template, container), "")
    if loads:
        raise Refused(
            f"the manifest loads a model by {loads}, and the verdict is about the image alone",
            hint="build the model's files into the image that is judged",
        )
    if container is None:
        raise Refused(
            "the manifest runs no image of its own, and the verdict is about an image",
            hint="write the model's container: containers: [{name: kserve-container, image: …}]",
        )
    repository, _, digest = image.partition("@")
    written = str(container.get("image") or image)
    theirs, _, pinned = written.partition("@")
    if _without_tag(theirs) != repository or (pinned and pinned != digest):
        raise Refused(
            f"the manifest runs {written}, and the verdict is about {image}",
            hint=f"write image: {repository}; mlgate fills in the digest that was judged",
        )
    container["image"] = image
    return tuple(found)


def _loads(
    document: Mapping[str, Any], template: Mapping[str, Any], container: Mapping[str, Any] | None
) -> Iterator[str]:
    """Yield what makes KServe load files of a model that are in no image."""
    for name, part in template.items():  # `model`, or the name of a framework: `sklearn`, `triton` …
        if isinstance(part, dict) and name != "logger":
            yield from (key for key in ("storageUri", "storage") if key in part)
    if "storageUris" in template:
        yield "storageUris"
    variables = {one.get("name") for one in (container or {}).get("env") or () if isinstance(one, dict)}
    if _STORAGE_VARIABLE in variables:
        yield _STORAGE_VARIABLE
    for place in (document.get("metadata"), template.get("metadata"), template):
        notes = place.get("annotations") if isinstance(place, dict) else None
        yield from (str(key) for key in notes or () if str(key).startswith(_KSERVES_OWN))


def model_container(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the container that serves the model: KServe's by its name, else the only one, or the first.

    Of an InferenceService with `model`, that, where it names an image of its own.
    """
    template = pod_template(document)
    spec = template.get("spec", {}) if kind_of(document) is DEPLOYMENT else template
    model = spec.get("model") or {}
    containers: list[dict[str, Any]] = spec.get("containers") or ([model] if model.get("image") else [])
    named = [one for one in containers if one.get("name") == "kserve-container"]
    return next(iter(named or containers), None)


def ports_before(runs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ports of a Service before a Deployment: 80, for the first port of the model's container."""
    container = model_container(runs) or {}
    port = next((one["containerPort"] for one in container.get("ports") or () if "containerPort" in one), 8080)
    return [{"name": "http", "port": 80, "targetPort": port}]


def bears(deployed: Deployed, label: str) -> bool:
    """Whether a release's label says *deployed*; one that was adopted had none before mlgate wrote it."""
    return label == deployed.name or (deployed.is_adopted and not label)


def _without_tag(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def pod_template(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a workload that describes its pods: of a Deployment `spec.template`, else the predictor."""
    spec: dict[str, Any] = document["spec"]
    found: dict[str, Any] = spec["template"] if kind_of(document) is DEPLOYMENT else spec["predictor"]
    return found


def _own(document: Mapping[str, Any], base: str, name: str, service: str, release: Release) -> dict[str, Any]:
    """Return one document under the release's name."""
    kind = kind_of(document)
    own: dict[str, Any] = copy.deepcopy(dict(document))
    metadata = own.setdefault("metadata", {})
    labels = {SERVICE_LABEL: service, RELEASE_LABEL: name}
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    metadata.pop("namespace", None)  # it is the deploy's
    notes = {COMMIT_NOTE: release.commit, VERDICT_NOTE: release.verdict, ATTESTATION_NOTE: release.attestation}
    notes = {note: value for note, value in notes.items() if value}
    if kind is INFERENCE_SERVICE:
        _own_predictor(own, labels, notes)
    elif kind is DEPLOYMENT:
        _own_pods(own, labels, notes)
    else:
        own["spec"] = {**_renamed(own.get("spec") or {}, base, name), **_selector(own, name)}
    metadata["name"] = _new_name(str(metadata.get("name") or base), base, name)
    return own


def _own_predictor(own: dict[str, Any], labels: Mapping[str, str], notes: Mapping[str, str]) -> None:
    predictor = own["spec"]["predictor"]
    predictor["labels"] = {**(predictor.get("labels") or {}), **labels}
    predictor["annotations"] = {**(predictor.get("annotations") or {}), **notes}


def _own_pods(own: dict[str, Any], labels: Mapping[str, str], notes: Mapping[str, str]) -> None:
    spec = own["spec"]
    metadata = spec["template"].setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **notes}
    selector = spec.setdefault("selector", {}).setdefault("matchLabels", {})
    selector[RELEASE_LABEL] = labels[RELEASE_LABEL]


def _selector(own: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what lets a Service or a PodDisruptionBudget select the pods of this release, and no others."""
    if own["kind"] == "Service":
        return {"selector": {RELEASE_LABEL: name}}
    if own["kind"] == "PodDisruptionBudget":
        return {"selector": {"matchLabels": {RELEASE_LABEL: name}}}
    return {}


def _new_name(old: str, base: str, name: str) -> str:
    """Return *old* with the workload's name in front of it replaced by the release's."""
    return name + old.removeprefix(base) if old.startswith(base) else f"{name}-{old}"


def _renamed(value: Any, base: str, name: str) -> Any:
    """Return *value* with every text that names the workload naming the release."""
    if isinstance(value, dict):
        return {key: _renamed(item, base, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, base, name) for item in value]
    names = {f"{before}{base}{after}" for before in ("", "isvc.") for after in ("", "-predictor")}
    return value.replace(base, name, 1) if isinstance(value, str) and value in names else value
