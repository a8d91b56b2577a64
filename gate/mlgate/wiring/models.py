"""The model under test: from its section of the configuration to the adapter that asks it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlgate.adapters.data.examples import has_made_id
from mlgate.adapters.data.local_path import local
from mlgate.adapters.data.section_line import SectionLine
from mlgate.adapters.http.address import Address
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.load.grpc_load import GrpcLoad
from mlgate.adapters.models.answers import AnswersModel
from mlgate.adapters.models.answers_file import Layout
from mlgate.adapters.models.http_model import HttpModel
from mlgate.adapters.models.identity import of_endpoint
from mlgate.adapters.models.python_model import PythonModel
from mlgate.adapters.protocols.kserve import KServeV1, KServeV2
from mlgate.adapters.protocols.openai import OpenAIChat, OpenAICompletions
from mlgate.adapters.protocols.plain_json import PlainJson
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.adapters.secrets.redactor import Secrets, in_environment, in_url
from mlgate.config.config import Config
from mlgate.config.sections.header import Header
from mlgate.config.sections.model import Endpoint, ModelSection
from mlgate.config.sections.served import GRPC, Served
from mlgate.core.check import Json, Suite
from mlgate.core.errors import ConfigError, GateError
from mlgate.core.formats.names import format_of
from mlgate.core.identity import CURRENT_FORM
from mlgate.core.ports import Model
from mlgate.wiring.data import dialect


def model(written: Mapping[str, Json], root: Path, suite: Suite, workers: int) -> Model:
    """Return the model that the section *written* names. *workers* processes will each hold one."""
    section = ModelSection.model_validate(written)
    if section.endpoint is not None and section.endpoint.protocol == GRPC:
        return grpc(section, section.endpoint, max(1, section.endpoint.concurrency // max(1, workers)), "")
    if section.endpoint is not None:
        return _endpoint(section, section.endpoint, workers)
    if section.python is not None:
        return python(section, root)
    if section.image is not None:
        raise ConfigError("a model's image is started by `mlgate check`, not by pytest", hint="run mlgate check")
    return answers(section, root, suite)


def python(section: ModelSection, root: Path) -> PythonModel:
    """Return a model that is a Python function."""
    given = section.python
    assert given is not None
    return PythonModel(
        given.target,
        root / given.path,
        batch=given.batch,
        timeout_s=given.timeout.total_seconds(),
        env_names=given.env,
    )


def unseen(section: ModelSection, root: Path) -> str:
    """Return which variables a Python model's code reads that are set here and kept from it; empty for none."""
    names = ", ".join(python(section, root).unseen) if section.python else ""
    if not names:
        return ""
    return f"the model's code reads {names}: set here, and not passed on to it; write env: [{names}] under python"


def answers(section: ModelSection, root: Path, suite: Suite) -> AnswersModel:
    """Read answers that were made before. By order, they answer the whole suite's examples as these stand."""
    given = section.answers
    assert given is not None
    examples = {e.id: e for c in suite.checks if "tests" not in c.params for e in c.examples}
    line = SectionLine("answers", given.model_dump(mode="json", exclude_unset=True))
    kind = given.format or format_of(given.path)
    layout = Layout(
        given.id,
        given.answer,
        "id" in given.model_fields_set,
        given.match,
        given.format,
        dialect(kind, given.delimiter, given.quoting) if kind in ("csv", "tsv") else None,
        line,
    )
    ids = list(examples)
    has_ids = ids != [str(number) for number in range(1, len(ids) + 1)] and not all(map(has_made_id, examples.values()))
    return AnswersModel.read(
        local(root, given.path, line.with_path), example_ids=ids, data_has_ids=has_ids, layout=layout
    )


def answer_notices(section: ModelSection, root: Path, suite: Suite, digest: str) -> Sequence[str]:
    """Return what a person should know of how answers found their examples; *digest* is what was judged.

    Nothing where the answers are not here, or are others: evidence may be judged elsewhere.
    """
    try:
        found = answers(section, root, suite)
    except GateError:
        return ()
    return found.notices if found.digest == digest else ()


def _endpoint(section: ModelSection, given: Endpoint, workers: int) -> HttpModel:
    return HttpModel(
        given.url,
        protocol(section, given),
        concurrency=max(1, given.concurrency // max(1, workers)),
        timeout_s=given.timeout.total_seconds(),
        retries=given.retries,
        patience_s=given.patience.total_seconds(),
        most_a_second=given.max_rate / max(1, workers) if given.max_rate else None,
        headers=headers(given.headers),
        batch=given.batch,
        redaction=redaction(section),
    )


def grpc(section: ModelSection, given: Endpoint, concurrency: int, run: str) -> GrpcLoad:
    """Return an endpoint that is asked over gRPC, as a model and as something to put load on."""
    return GrpcLoad(
        Address.of(given.url),
        section.served_name,
        template=given.prompt,
        timeout_s=given.timeout.total_seconds(),
        headers=headers(given.headers),
        facts={"run": run},
        concurrency=concurrency,
        redaction=redaction(section),
    )


def named(section: ModelSection) -> Mapping[str, str]:
    """Return the secrets that a model is given, each by the name of its variable; of its address, by URL."""
    names = [header.env for header in section.endpoint.headers.values()] if section.endpoint else []
    names += section.python.env if section.python else ()
    return in_environment(names)


def secrets_of(*sections: ModelSection) -> Secrets:
    """Return what takes the secrets of these models out of what is kept."""
    known = {name: value for one in sections for name, value in named(one).items()}
    asked = [part for one in sections if one.endpoint for part in in_url(one.endpoint.url)]
    return Secrets(known, asked)


def redaction(section: ModelSection) -> Redaction:
    """Return what takes a model's secrets out of messages, also the short ones."""
    names = [header.env for header in section.endpoint.headers.values()] if section.endpoint else []
    short = [os.environ.get(name, "") for name in names]
    return Redaction(short, secrets_of(section))


def headers(given: Mapping[str, Header]) -> Mapping[str, str]:
    """Return the headers of an address, their values read from the environment."""
    return {name: header.prefix + _secret(header.env) for name, header in given.items()}


def protocol(section: ModelSection, given: Served, *, stream: bool = False) -> HttpProtocol:
    """Return how a server wants to be asked."""
    name = section.served_name
    match given.protocol:
        case "kserve-v1":
            return KServeV1(name, template=given.prompt, params=given.params)
        case "kserve-v2" | "kserve-v2-grpc":
            return KServeV2(name, template=given.prompt, params=given.params)
        case "openai-chat":
            return OpenAIChat(name, template=given.prompt, params=given.params, stream=stream)
        case "openai-completions":
            return OpenAICompletions(name, template=given.prompt, params=given.params, stream=stream)
        case "json":
            return PlainJson(given.request, given.answer or "")


def require_variables(config: Config) -> None:
    """Raise ConfigError for the variables that the models are to get and that are not set here, all at once.

    To be called before anything is asked: a process of its own could only say that no row came.
    """
    models = [config.model, *([config.baseline_model] if config.baseline_model else [])]
    found = list(dict.fromkeys(one for model in models for one in _unset(config, model)))
    if found:
        errors = [_unset_error(name, where) for name, where in found]
        raise ConfigError(errors[0].message, hint=errors[0].hint, where=errors[0].where, more=tuple(errors[1:]))


def _unset(config: Config, model: ModelSection) -> Iterator[tuple[str, str]]:
    for header, given in model.endpoint.headers.items() if model.endpoint else ():
        if not os.environ.get(given.env):
            yield given.env, config.where("model", "endpoint", "headers", header, "env")
    for index, name in enumerate(model.python.env if model.python else ()):
        if name not in os.environ:
            yield name, config.where("model", "python", "env", index)


def _unset_error(name: str, where: str = "") -> ConfigError:
    state = "empty" if name in os.environ else "not set"
    hint = f"export {name}=…; in a workflow, give it to the step: env: {{{name}: ${{{{ secrets.{name} }}}}}}"
    return ConfigError(f"the environment variable {name} is {state}", hint=hint, where=where)


def _secret(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise _unset_error(name)
    return value


def digest(section: ModelSection, root: Path, suite: Suite, form: int = CURRENT_FORM) -> str:
    """Return what stands for the model in provenance: its code, its answers, or where and how it is asked.

    Of code and of answers it is the same in every form.
    """
    if section.python is not None:
        return python(section, root).digest
    if section.answers is not None:
        return answers(section, root, suite).digest
    assert section.endpoint is not None
    given = section.endpoint
    transport = GRPC if given.protocol == GRPC else "http"
    return of_endpoint(Address.of(given.url), protocol(section, given).identity, transport, form)
