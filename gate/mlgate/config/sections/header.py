"""HTTP headers that carry secrets: their values come from the environment, and never stand in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from mlgate.config.sections.section import EnvName, Section, Written, complaint

_OWN_HEADERS = frozenset({"connection", "content-length", "te", "transfer-encoding", "upgrade"})


class Header(Section):
    """A header's value, read from the environment when the run starts."""

    env: EnvName
    """The environment variable that holds the value."""
    prefix: Annotated[str, Written(r"[\x20-\x7e]{0,100}", "must be printable ASCII")] = ""
    """Text in front of the value: `"Bearer "`."""


def _from_environment(value: object) -> object:
    """Refuse a header's value in the file. The message does not repeat it: it may be a secret."""
    if not isinstance(value, dict):
        raise complaint("must come from an environment variable", 'write {env: NAME} or {env: NAME, prefix: "Bearer "}')
    return value


def _free(headers: Mapping[str, Header]) -> Mapping[str, Header]:
    seen: set[str] = set()
    for name in headers:
        if name.lower() in _OWN_HEADERS:
            raise complaint("is written by the gate itself", "delete it", at=(name,))
        if name.lower() in seen:
            raise complaint("is given twice", "upper and lower case are the same header", at=(name,))
        seen.add(name.lower())
    return headers


_Name = Annotated[
    str, Written(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", "is no header's name: letters, digits and -, without spaces")
]
Headers = Annotated[
    Mapping[_Name, Annotated[Header, BeforeValidator(_from_environment)]],
    AfterValidator(_free),
]
