"""A service's record in a ConfigMap. A write holds for the version that was read: who was overtaken writes nothing."""

from __future__ import annotations

from collections.abc import Callable

from mlgate.adapters.kubernetes import record_json
from mlgate.adapters.kubernetes.api import Api, Conflict, Obj
from mlgate.adapters.kubernetes.kinds import CONFIG_MAP
from mlgate.adapters.kubernetes.lease import name_of
from mlgate.adapters.kubernetes.manifest import SERVICE_LABEL
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.errors import EvidenceError, Overtaken

_KEY = "record.json"


class ConfigMapRecords:
    """The record of one service, read once and then written by one process."""

    def __init__(self, api: Api, service: str, holds_lock: Callable[[], None] = lambda: None) -> None:
        self._api, self._service, self._holds_lock = api, service, holds_lock
        self._there: Obj | None = None
        self._own_texts: tuple[str, ...] = ()
        """What may stand there by our own hand: what was read or written last, and what was tried since."""

    def load(self) -> ServiceRecord:
        """Return the record; an empty one when there is none yet. Raises EvidenceError for one that is damaged."""
        self._there = self._read()
        if self._there is None:
            return ServiceRecord()
        text = _text(self._there)
        self._own_texts = (text,)
        try:
            return record_json.read(text)
        except EvidenceError as error:
            where = f"ConfigMap {self._api.namespace}/{name_of(self._service)}"
            hint = error.hint or "restore it from a backup"
            raise EvidenceError(error.message, where=where, hint=hint) from error

    def save(self, record: ServiceRecord) -> None:
        """Replace what was loaded or saved last. Raises Overtaken when somebody else wrote meanwhile."""
        self._holds_lock()
        text = record_json.write(record)
        self._own_texts = (*self._own_texts, text)
        try:
            self._there = self._put(text)
        except Conflict:  # an earlier write of ours may have been taken, and only its reply lost
            self._demand_own()
            self._there = self._put(text)
        self._own_texts = (text,)

    def confirm(self) -> None:
        """Raise Overtaken when the record is not the one that was saved last, or the lock is not held any more."""
        self._holds_lock()
        self._demand_own()

    def _put(self, text: str) -> Obj:
        if self._there is None:
            labels = {SERVICE_LABEL: self._service}
            fresh = {"metadata": {"name": name_of(self._service), "labels": labels}, "data": {_KEY: text}}
            return self._api.create(CONFIG_MAP, fresh)
        return self._api.replace(CONFIG_MAP, {**self._there, "data": {_KEY: text}})

    def _demand_own(self) -> None:
        there = self._read()
        if there is None or _text(there) not in self._own_texts:
            raise Overtaken(f"somebody else carries the rollout of {self._service} on", hint="mlgate status")
        self._there = there

    def _read(self) -> Obj | None:
        return self._api.get(CONFIG_MAP, name_of(self._service))


def _text(there: Obj) -> str:
    return str((there.get("data") or {}).get(_KEY, ""))
