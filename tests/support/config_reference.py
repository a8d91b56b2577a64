"""The reference page of mlgate.yaml's keys, made from the sections, so that it cannot drift from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from mlgate.config.schema import by_section

BEGIN, END = "<!-- keys: made by tests.support.config_reference -->", "<!-- /keys -->"
"""What the made part of docs/reference/config.md stands between."""

_ANY = "any JSON"
_ORDER = {
    "Document": "The file",
    "ModelSection": "`model`",
    "Endpoint": "`model.endpoint`",
    "Header": "`model.endpoint.headers.<name>`",
    "Image": "`model.image`",
    "Build": "`model.image.build`",
    "PythonModel": "`model.python`",
    "Answers": "`model.answers`",
    "AccuracyCheck": "`checks.<name>`, kind `accuracy`",
    "LatencyCheck": "`checks.<name>`, kind `latency`",
    "RateLoad": "`load`: at a rate",
    "ClosedLoad": "`load`: so many requests under way",
    "StagedLoad": "`load`: a ramp",
    "Stage": "`load.stages`",
    "FindLoad": "`load`: a search for the greatest rate",
    "Mix": "`load.mix`",
    "RecordedCheck": "`checks.<name>`, kind `recorded`",
    "FileData": "`data`: a file",
    "LinesData": "`data`: parallel text files",
    "DatasetData": "`data`: a Hugging Face data set",
    "MetricOptions": "`metrics.<name>`, kinds `accuracy` and `latency`",
    "RecordedMetric": "`metrics.<name>`, kind `recorded`",
    "RuleSection": "`rules.<metric>`",
    "FileBaseline": "`baseline`: a file",
    "GitBaseline": "`baseline`: a git ref",
    "CiBaseline": "`baseline`: kept by CI",
    "MlflowBaseline": "`baseline`: remembered by MLflow",
    "ImageBaseline": "`baseline`: an image beside the candidate",
    "EndpointBaseline": "`baseline`: a server beside the candidate",
    "Tracking": "`tracking`",
    "MlflowTracking": "`tracking.mlflow`",
    "RegistrySection": "`tracking.mlflow.registry`",
    "Demand": "`tracking.mlflow.registry.require`",
    "TrustSection": "`trust`",
    "IdentitySection": "`trust.identities`",
    "DeploySection": "`deploy`",
    "GatewaySection": "`deploy.gateway`",
    "AudienceSection": "`deploy.audience`",
    "MarkSection": "`deploy.audience.header`, `deploy.audience.cookie`",
    "AnalysisSection": "`deploy.analysis`",
    "StepRuleSection": "`deploy.analysis.rules.<metric>`",
    "PrometheusSection": "`deploy.analysis.prometheus`",
    "MetricsSection": "`deploy.analysis.prometheus.metrics`",
}


def tables() -> str:
    """Return a heading and a table of keys for every section, as Markdown."""
    schema = by_section()
    definitions = _mapping(schema["$defs"])
    unknown = {name for name, made in definitions.items() if "properties" in _object(made)} - _ORDER.keys()
    assert not unknown, f"give {sorted(unknown)} a heading"
    lines: list[str] = []
    for name, heading in _ORDER.items():
        made = schema if name == "Document" else _object(definitions[name])
        lines += [f"## {heading}", "", str(made["description"]), ""]
        lines += ["| key | type | default | what it is |", "|---|---|---|---|"]
        lines += [*_rows(made), ""]
    return "\n".join(lines)


def _rows(made: Mapping[str, JsonValue]) -> Iterator[str]:
    required = made.get("required", [])
    assert isinstance(required, list)
    for key, value in sorted(_mapping(made["properties"]).items(), key=lambda item: item[0] not in required):
        about = _mapping(value)
        default = f"`{json.dumps(about['default'])}`" if "default" in about else ""
        what = str(about["description"]).replace("\n", " ")
        cells = [f"`{key}`", _type(about), "**required**" if key in required else default, what]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(about: Mapping[str, JsonValue]) -> str:
    variants = about.get("oneOf") or about.get("anyOf")
    if isinstance(variants, list):
        return " or ".join(dict.fromkeys(_type(_mapping(one)) for one in variants))
    if "$ref" in about:
        name = str(about["$ref"]).rsplit("/", 1)[-1]
        return _ANY if name == "JsonValue" else f"[{_ORDER[name]}](#{_anchor(_ORDER[name])})"
    choices = about.get("enum", [about["const"]] if "const" in about else [])
    assert isinstance(choices, list)
    if choices:
        return ", ".join(f"`{choice if choice != '' else json.dumps(choice)}`" for choice in choices)
    return _simple_type(about)


def _simple_type(about: Mapping[str, JsonValue]) -> str:
    match about.get("type"):
        case "array":
            return f"list of {_type(_mapping(about['items']))}"
        case "object":
            inner = about.get("patternProperties")
            each = next(iter(inner.values())) if isinstance(inner, dict) else about["additionalProperties"]
            return f"mapping of {_type(_mapping(each))}"
        case "string":
            return "text"
        case "boolean":
            return "true or false"
        case "integer" | "number" as kind:
            return f"{'whole number' if kind == 'integer' else 'number'}{_range(about)}"
        case _:
            return _ANY


def _range(about: Mapping[str, JsonValue]) -> str:
    least, most = about.get("minimum"), about.get("maximum")
    above = about.get("exclusiveMinimum")
    if least is not None and most is not None:
        return f", {least} to {most:,}" if isinstance(most, int) else f", {least} to {most}"
    if above is not None and most is not None:
        return f", above {above}, at most {most:,}"
    return f", at least {least}" if least is not None else ""


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    kept = "".join(char for char in heading.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")


def _object(made: JsonValue) -> Mapping[str, JsonValue]:
    """Return the mapping form of a section that has short forms too."""
    whole = _mapping(made)
    forms = whole.get("anyOf")
    return _mapping(forms[-1]) if "properties" not in whole and isinstance(forms, list) else whole


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    assert isinstance(value, dict)
    return value
