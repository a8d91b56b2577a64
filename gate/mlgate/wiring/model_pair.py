"""The two sides of a run: the candidate's model and, in a duet, the baseline's. Each starts when it is first needed."""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlgate.adapters.docker.server import ModelServer
from mlgate.adapters.http.address import Address
from mlgate.adapters.load.channel import ProcessChannel
from mlgate.adapters.load.http_load import HttpLoad
from mlgate.adapters.secrets.redactor import Secrets
from mlgate.adapters.terminal.output import tell
from mlgate.config.sections.model import Endpoint, ModelSection
from mlgate.config.sections.served import GRPC
from mlgate.core.check import Check, Json, Suite
from mlgate.core.errors import ConfigError, GateError
from mlgate.core.latency.metrics import STARTING
from mlgate.core.ports import Load, Model
from mlgate.wiring import models
from mlgate.wiring.images import Images, load


@dataclass
class ModelPair:
    """Opens models and loads of both sides. An image is started once a side and run, and lives until `close`.

    Two images whose times are compared start at one moment (start_together.py), unless a rule asks how long that takes.
    """

    root: Path
    suite: Suite
    images: Images
    candidate: Mapping[str, Json]
    """The model's section, as it is written."""
    baseline: Mapping[str, Json]
    """The baseline's; empty without a duet."""
    logs: Path
    """The folder that takes the containers' logs."""
    secrets: Secrets = field(default_factory=lambda: Secrets({}))
    """What is taken out of the logs."""
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    """What says that times were taken in turn, in one run."""
    _servers: dict[bool, ModelServer] = field(default_factory=dict)
    _failed: dict[bool, GateError] = field(default_factory=dict)
    """Why a side did not start that was started beside the other one."""

    def load(self, check: Check) -> Load:
        """Return one side of a timed check, ready to be put under load."""
        baseline = bool(check.baseline_of)
        section = self._section(baseline=baseline)
        stream = check.params.get("stream") is True
        if section.image is not None:
            return load(section, self._server(section, baseline=baseline), self.run, stream=stream)
        if section.endpoint is not None and section.endpoint.protocol == GRPC:
            return models.grpc(section, section.endpoint, section.endpoint.concurrency, self.run)
        if section.endpoint is not None:
            return self._endpoint_load(section, section.endpoint, stream=stream)
        raise ConfigError(
            "times are taken of a model that serves: an endpoint or an image",
            hint="write model: {endpoint: …} or {image: …}",
        )

    def model(self, *, baseline: bool) -> Model:
        """Return one side's model, to be asked about examples one by one, from this process."""
        section = self._section(baseline=baseline)
        if section.image is not None:
            return load(section, self._server(section, baseline=baseline), self.run, stream=False)
        return models.model(self.baseline if baseline else self.candidate, self.root, self.suite, 1)

    def close(self) -> None:
        """End what was started, keeping what it printed. Whatever fails meanwhile, or a second Ctrl-C: all is ended."""
        with contextlib.ExitStack() as ending:  # carries out the last line first
            ending.callback(self.images.close)
            ending.callback(self._servers.clear)
            for baseline, server in self._servers.items():
                ending.callback(server.close)
                ending.callback(self._keep, server, "baseline.log" if baseline else "model.log")

    def _keep(self, server: ModelServer, name: str) -> None:
        """Write what a model printed into the folder. That it cannot be kept is a notice and no more."""
        try:
            server.sandbox.logs(self.logs / name)
            self.secrets.file(self.logs / name)
        except (GateError, OSError) as error:
            tell(sys.stderr, f"mlgate: notice: what the model printed is not kept: {error}")

    def _section(self, *, baseline: bool) -> ModelSection:
        return ModelSection.model_validate(self.baseline if baseline else self.candidate)

    def _server(self, section: ModelSection, *, baseline: bool) -> ModelServer:
        if not self._servers:
            for removed in self.images.reap():
                tell(sys.stderr, f"mlgate: notice: a run that was killed had left this, and it was removed: {removed}")
        if not self._servers and not self._failed and self._starts_both:
            for side, started in zip((False, True), self.images.start_together(self._both, self.run), strict=True):
                if isinstance(started, GateError):
                    self._failed[side] = started
                else:
                    self._servers[side] = started
        if baseline in self._failed:
            raise self._failed.pop(baseline)
        if baseline not in self._servers:
            self._servers[baseline] = self.images.start(section, self.run)
        return self._servers[baseline]

    @property
    def _both(self) -> Sequence[ModelSection]:
        return self._section(baseline=False), self._section(baseline=True)

    @property
    def _starts_both(self) -> bool:
        compared = [check for check in self.suite.checks if check.rounds and check.baseline_of]
        timed = any(rule.metric in STARTING for check in self.suite.checks if check.rounds for rule in check.rules)
        return bool(compared) and not timed and all(one.image is not None for one in self._both)

    def _endpoint_load(self, section: ModelSection, given: Endpoint, *, stream: bool) -> HttpLoad:
        return HttpLoad(
            ProcessChannel(),
            Address.of(given.url),
            models.protocol(section, given, stream=stream),
            timeout_s=given.timeout.total_seconds(),
            headers=models.headers(given.headers),
            stream=stream,
            facts={"run": self.run},
            redaction=models.redaction(section),
        )
