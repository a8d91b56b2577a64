"""What is beside a service on its cluster, asked for by all of the names that the service's models have."""

from __future__ import annotations

from collections.abc import Iterable

from mlgate.adapters.kubernetes.api import Api
from mlgate.adapters.kubernetes.beside.look import look
from mlgate.adapters.kubernetes.beside.subject import Subject
from mlgate.core.deploy.advice import Advice
from mlgate.core.deploy.release import Deployed

Beside = tuple[tuple[tuple[Advice, str], ...], tuple[str, ...]]
"""What is to be said of which object, and the kinds of object that this user may not list."""


def beside(api: Api, mode: str, model: Deployed, serves: Deployed | None, names: Iterable[str]) -> Beside:
    """Return it for *model*, beside which *serves* does; *names*: what else its objects are, or were, called."""
    models = [one for one in (model, serves) if one is not None]
    ending = frozenset(one.name for one in models[1:] if not one.is_adopted)
    known = frozenset({*names, *(one.name for one in models)})
    return look(api, Subject(mode, model, known, ending))
