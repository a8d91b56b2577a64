"""Verdicts as MLflow's runs: one run a verdict, whoever writes it and however often."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlgate.adapters.mlflow import names
from mlgate.adapters.mlflow.client import Server, Unable, code_of
from mlgate.core.errors import AdapterError, Refused
from mlgate.core.tracking.record import DataUsed, LoggedRun, TrackingRecord

ARTIFACT_FOLDER = "mlgate"
"""Of a run's artifacts: what mlgate wrote."""
KEY_TAG = "mlgate.key"
VERDICT = "mlgate.verdict"
ACCEPTABLE = "mlgate.acceptable"

_ATTEMPTS = 3
_METRICS, _TEXTS = 500, 60
"""In one request; MLflow takes 1,000 metrics, 100 parameters, 100 tags and a million bytes."""
_DIGEST = 36
"""Characters that MLflow keeps of a dataset's digest."""
_ENDED = ("FINISHED", "FAILED")
_GOOD = ("passed", "warned")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class MlflowRuns:
    """A tracker whose runs lie in one experiment."""

    def __init__(self, server: Server, experiment: str) -> None:
        self._server = server
        self._experiment = experiment
        self._known = ""

    @property
    def source(self) -> str:
        """Return where it is, without secrets."""
        return f"MLflow, experiment {self._experiment} in {self._server.place.shown}"

    def log(self, record: TrackingRecord) -> LoggedRun:
        """Write one verdict. Again, or by several at once: one run, never two, and whole.

        MLflow has no run of one's own id, so two writers may both find none and both make one. Each therefore looks
        again when it has written: of several runs with one key the one with the smallest id stays. It was never
        deleted by who saw it, and every other one's writer looks after it was made: one stays, whatever the order.
        (A writer that stood still between its two first calls can make another's run the double: MLflow only hides
        it, so what was returned of it can still be read.)
        """
        for left in reversed(range(_ATTEMPTS)):
            known = self._runs(record.key)
            run = known[0] if known else self._begun(record)
            try:
                if not self._is_whole(run, record):
                    self._write(run, record)
                elif len(known) == 1:
                    return self._record_of(run.info)
            except Unable as error:
                if not (left and error.is_crossed):
                    raise
                continue
            one = self._single_run(record.key)
            if one is not None and one.info.run_id == run.info.run_id:
                return self._record_of(run.info)
        raise AdapterError(f"{self.source}: runs of this verdict come and go", hint="try again: mlgate sync")

    def logged(self, record: TrackingRecord) -> LoggedRun | None:
        """Return where the very verdict is already, whatever was around it then; None when it is not, or not whole."""
        for run in self._runs(record.key):
            if run.info.status in _ENDED and run.data.tags.get(VERDICT) == record.verdict:
                return self._record_of(run.info)
        return None

    def last_passed(self, branch: str, *, also: Mapping[str, str]) -> str:
        """Return the id of the last whole run of a branch that passed; empty without one. *also* are tags it has."""
        wanted = {"mlgate.branch": branch, ACCEPTABLE: "true", **also}
        passed = " and ".join(f"tags.`{name}` = {_filter_text(text)}" for name, text in wanted.items())
        with self._server.talking(f"look for the last pass of {branch}"):
            found = self._server.client.search_runs(
                [self.experiment_id],
                f"{passed} and attributes.status = 'FINISHED'",
                max_results=1,
                order_by=["attributes.start_time DESC"],
            )
            return run_id(found[0]) if found else ""

    def may_be_baseline(self, verdict: str) -> bool | None:
        """Return whether a verdict that is logged lets its model become the baseline; None where it is not logged."""
        with self._server.talking("look for a verdict's run"):
            experiment = self._experiment_id()
            wanted = f"tags.`{VERDICT}` = {_filter_text(verdict)}"
            found = self._server.client.search_runs([experiment], wanted, max_results=1) if experiment else []
        return found[0].data.tags.get(ACCEPTABLE) == "true" if found else None

    @property
    def experiment_id(self) -> str:
        """Return the experiment's id; made where it is not there."""
        if not self._known:
            with self._server.talking(f"make the experiment {self._experiment}"):
                self._known = self._experiment_id() or self._made()
        return self._known

    def _experiment_id(self) -> str:
        found = self._server.client.get_experiment_by_name(self._experiment)
        if found is not None and found.lifecycle_stage != "active":
            raise AdapterError(
                f"the experiment {self._experiment} was deleted in {self._server.place.shown}",
                hint=f"restore it: mlflow experiments restore -x {found.experiment_id}",
            )
        return str(found.experiment_id) if found is not None else ""

    def _made(self) -> str:
        place = self._server.place
        location = None if place.has_server else place.artifacts.absolute().as_uri()
        try:
            return str(self._server.client.create_experiment(self._experiment, artifact_location=location))
        except Exception as error:
            if code_of(error) == "RESOURCE_ALREADY_EXISTS":  # somebody else made it meanwhile
                return self._experiment_id()
            raise

    def _runs(self, key: str) -> Sequence[Any]:
        with self._server.talking("look for this verdict's run"):
            return sorted(
                self._server.client.search_runs([self.experiment_id], f"tags.`{KEY_TAG}` = '{key}'", max_results=100),
                key=run_id,
            )

    def _begun(self, record: TrackingRecord) -> Any:
        with self._server.talking("begin a run"):
            begun = self._server.client.create_run(
                self.experiment_id,
                start_time=record.began,
                run_name=names.title(record.name),
                tags={KEY_TAG: record.key},
            )
            run_id(begun)
            return begun

    def _single_run(self, key: str) -> Any:
        """Return the one run of this key; delete the others."""
        first, *others = self._runs(key) or [None]
        for other in others:
            with self._server.talking("delete a double of this run"):
                self._server.client.delete_run(other.info.run_id)
        return first

    @staticmethod
    def _is_whole(run: Any, record: TrackingRecord) -> bool:
        """Return whether nothing is left to write: the same report, by a writer that came to its end."""
        tags = run.data.tags
        same = all(tags.get(name) == text for name, text in _tags(record).items())
        return run.info.status in _ENDED and tags.get(VERDICT) == record.verdict and same

    def _write(self, run: Any, record: TrackingRecord) -> None:
        """Write everything; its end, and the tag that names the verdict, last: until then it is not whole."""
        client, number = self._server.client, run.info.run_id
        self._keep(record, run)
        with self._server.talking("take this verdict's numbers"):
            for metrics, params, tags in _batches(record, run):
                client.log_batch(number, metrics, params, tags)
            if record.data:
                client.log_inputs(number, [_dataset(one) for one in record.data])
            if run.info.run_name != names.title(record.name):
                client.update_run(number, name=names.title(record.name))
            good = record.tags.get("mlgate.outcome") in _GOOD
            client.set_terminated(number, status="FINISHED" if good else "FAILED")

    def _keep(self, record: TrackingRecord, run: Any) -> None:
        """Send the files, and see that they are there: a redirect, to a login say, is success to MLflow's client."""
        with self._server.talking("keep this verdict's files"), tempfile.TemporaryDirectory() as folder:
            for name, content in record.files.items():
                Path(folder, name).write_bytes(content)
            repository = self._server.repository(run.info.artifact_uri)
            repository.log_artifacts(folder, ARTIFACT_FOLDER)
            there = {
                one.path: one.file_size or 0 for one in repository.list_artifacts(ARTIFACT_FOLDER)
            }  # a server omits a zero
        lost = [
            name for name, content in record.files.items() if there.get(f"{ARTIFACT_FOLDER}/{name}", -1) != len(content)
        ]
        if lost:
            raise AdapterError(
                f"MLflow ({self._server.place.shown}) took {', '.join(sorted(lost))} of run {run.info.run_id} "
                "and does not have it whole",
                hint="does a proxy stand before the server? is there space where it keeps artifacts?",
            )

    def _record_of(self, info: Any) -> LoggedRun:
        place, number = self._server.place, str(info.run_id)
        page = f"{place.shown.rstrip('/')}/#/experiments/{info.experiment_id}/runs/{number}"
        where = page if place.scheme in ("http", "https") else f"run {number} in {place.shown}"
        return LoggedRun(number, where, f"runs:/{number}/{ARTIFACT_FOLDER}")


def _filter_text(text: str) -> str:
    """Return a text for a filter; of one with both quotes nothing is found."""
    return f'"{text}"' if "'" in text else f"'{text}'"


def run_id(run: Any) -> str:
    """Return a run's id. What could be a path is Refused: ids become parts of addresses and of files' names."""
    found = str(run.info.run_id)
    if not _ID.fullmatch(found):
        raise Refused(f"MLflow says that a run's id is {found[:80]!r}", hint="is this an MLflow server?")
    return found


def _tags(record: TrackingRecord) -> Mapping[str, str]:
    return {name: names.tag(text) for name, text in record.tags.items()}


def _batches(record: TrackingRecord, run: Any) -> Iterator[tuple[list[Any], list[Any], list[Any]]]:
    """Yield what MLflow takes in one request: metrics, parameters, tags; most verdicts fit into one.

    Of a run that is there, what it has is left out: a parameter cannot be changed, and a metric would get a second
    point. A number that changed is written at a later time, so that it is the one that is shown. Tags come last.
    """
    from mlflow.entities import Metric, Param, RunTag

    there, had = run.data.metrics, run.data.params
    began = int(run.info.start_time or record.began)
    later = max(began + 1, record.began)
    metrics = [
        Metric(names.name(name), value, later if names.name(name) in there else began, 0)
        for name, value in record.metrics.items()
        if there.get(names.name(name)) != value and math.isfinite(value)  # MLflow would draw a NaN as a value
    ]
    params = [
        Param(names.name(key), names.param(text)) for key, text in record.params.items() if names.name(key) not in had
    ]
    tags = [RunTag(name, text) for name, text in _tags(record).items()]
    first = max(-(-len(metrics) // _METRICS), -(-len(params) // _TEXTS), 1) - 1
    for number in range(first + max(-(-len(tags) // _TEXTS), 1)):
        said = number - first
        yield (
            metrics[number * _METRICS : (number + 1) * _METRICS],
            params[number * _TEXTS : (number + 1) * _TEXTS],
            tags[said * _TEXTS : (said + 1) * _TEXTS] if said >= 0 else [],
        )


def _dataset(data: DataUsed) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = {"uri": data.source, "sha256": data.digest, "version": data.version}
    return DatasetInput(
        Dataset(
            name=data.check,
            digest=data.digest[:_DIGEST],
            source_type="local",
            source=json.dumps({name: text for name, text in source.items() if text}, ensure_ascii=True),
            profile=json.dumps({"num_rows": data.examples}),
        ),
        [InputTag("mlflow.data.context", "eval")],
    )
