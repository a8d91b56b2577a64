"""What the sections of one file ask of each other. Works on plain values, so that other faults hide nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlgate.config.sections.mlflow_baseline import OF_RUNS
from mlgate.config.sections.registry_names import is_model_name
from mlgate.config.sections.served import AT_ONCE, GRPC, STREAMING
from mlgate.config.validate.partial import mapping
from mlgate.config.yaml.fault import Complaint
from mlgate.config.yaml.parse import Value


def disagreements(value: Value) -> Iterator[Complaint]:
    """Yield everything that is sound by itself and at odds with another section."""
    yield from _rules_without_baseline(value)
    yield from _unlike(value)
    yield from _mlflow_baseline_faults(value)
    yield from _unsent(value)
    yield from _deploy_faults(value)
    for check_id, check in mapping(mapping(value).get("checks")).items():
        if mapping(check).get("kind") == "latency":
            yield from _load_faults(check_id, check, mapping(mapping(value).get("model")))


def _rules_without_baseline(value: Value) -> Iterator[Complaint]:
    """Yield every comparing rule of a file without a baseline."""
    if "baseline" in mapping(value):
        return
    for check_id, check in mapping(mapping(value).get("checks")).items():
        groups: list[tuple[tuple[str, ...], Value]] = [(("rules",), mapping(check).get("rules"))]
        groups += [(("slices", field), rules) for field, rules in mapping(mapping(check).get("slices")).items()]
        line = "{from: file, path: baseline.jsonl.gz}"
        if mapping(check).get("kind") == "latency":
            line = _beside(value)
        for steps, rules in groups:
            for name, rule in mapping(rules).items():
                for bound in ("max_drop", "max_rise"):
                    if bound in mapping(rule):
                        yield Complaint(
                            ("checks", check_id, *steps, name, bound),
                            "compares with a baseline, and the file has none",
                            f"add a line: baseline: {line}",
                            at_key=True,
                        )


def _beside(value: Value) -> str:
    """Return a baseline that runs in the same run: times of another day are not comparable."""
    if "image" in mapping(mapping(value).get("model")):
        return '{from: image, ref: "NAME:main"}'
    return '{from: endpoint, url: "http://…"}'


def _unlike(value: Value) -> Iterator[Complaint]:
    """Yield a baseline that is to run beside the candidate, and has nothing to inherit from."""
    way = mapping(mapping(value).get("baseline")).get("from")
    model = mapping(value).get("model")
    if way in ("image", "endpoint") and isinstance(model, dict) and way not in model:
        says = f"takes all else from model.{way}, and the model has none"
        hint = f"write model: {{{way}: …}}, or keep evidence: baseline: {{from: file, path: baseline.jsonl.gz}}"
        yield Complaint(("baseline", "from"), says, hint)


def _unsent(value: Value) -> Iterator[Complaint]:
    """Yield parameters that are not sent. No section refuses them: models that were judged with them stay known."""
    endpoint = mapping(mapping(mapping(value).get("model")).get("endpoint"))
    if endpoint.get("protocol") == GRPC and endpoint.get("params"):
        says = f"has no effect: with protocol {GRPC} no parameters are sent"
        yield Complaint(("model", "endpoint", "params"), says, "delete it, or use kserve-v2", at_key=True)


def _mlflow_baseline_faults(value: Value) -> Iterator[Complaint]:
    """Yield what keeps a baseline of MLflow's from being found: no MLflow, or no name that a model could have there."""
    baseline = mapping(mapping(value).get("baseline"))
    if baseline.get("from") != "mlflow":
        return
    tracking = mapping(mapping(value).get("tracking"))
    if "mlflow" not in tracking:
        says = "needs tracking.mlflow, and the file has none"
        yield Complaint(("baseline", "from"), says, "add a line: tracking: {mlflow: sqlite:///mlflow.db}")
    name = mapping(mapping(value).get("model")).get("name")
    named = "model" in baseline or "name" in mapping(mapping(tracking.get("mlflow")).get("registry"))
    if named or any(way in baseline for way in OF_RUNS) or not isinstance(name, str) or is_model_name(name):
        return
    says = "cannot be a registered model's name, and the baseline is a version of one"
    yield Complaint(("model", "name"), says, "name it: tracking: {mlflow: {registry: {name: …}}}")


def _deploy_faults(value: Value) -> Iterator[Complaint]:
    """Yield what keeps a deploy from being about the model of the file, or from asking its checks."""
    deploy, checks = mapping(mapping(value).get("deploy")), mapping(mapping(value).get("checks"))
    if deploy and "image" not in mapping(mapping(value).get("model")):
        says = "deploys the image that was judged, and needs `model: {image: …}`"
        yield Complaint(("deploy",), says, "e.g. model: {image: {ref: NAME, protocol: kserve-v2}}", at_key=True)
    asked = deploy.get("checks")
    for index, name in enumerate(asked if isinstance(asked, list) else ()):
        if isinstance(name, str) and name not in checks:
            known = f"there are: {', '.join(checks)}"
            yield Complaint(("deploy", "checks", index), "is no check of this file", known)


def _load_faults(check_id: str, check: Value, model: Mapping[str, Value]) -> Iterator[Complaint]:
    """Yield what a latency check asks of the model that it cannot do."""
    ways = [way for way in ("endpoint", "image") if way in model]
    if not ways:
        if {"python", "answers"} & model.keys():
            says = "needs a model that is asked over HTTP: an endpoint or an image"
            yield Complaint(("checks", check_id, "kind"), says, "e.g. model: {image: {ref: NAME, …}}")
        return
    protocol = mapping(model[ways[0]]).get("protocol")
    if protocol == GRPC and "concurrency" not in mapping(mapping(check).get("load")):
        says = f"needs `concurrency` with protocol {GRPC}: threads cannot keep a rate to fractions of a millisecond"
        yield Complaint(("checks", check_id, "load"), says, "write load: {concurrency: 8, duration: 20s}")
    streams = mapping(mapping(check).get("load")).get("stream") is True
    if streams and protocol in AT_ONCE:
        says = f"needs protocol {' or '.join(STREAMING)}"
        hint = f"change model.{ways[0]}.protocol, or delete it: other protocols answer at once"
        yield Complaint(("checks", check_id, "load", "stream"), says, hint)
