"""Where a model that passed is deployed, and in which steps it gets traffic."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mlgate.config.sections.analysis import AnalysisSection, unfit
from mlgate.config.sections.audience import AudienceSection
from mlgate.config.sections.duration import Duration, lasting
from mlgate.config.sections.section import Given, Line, Many, Section, Written, complaint
from mlgate.config.sections.served import checked_address

_Name = Annotated[
    str,
    Written(
        r"[a-z]([a-z0-9-]{0,42}[a-z0-9])?",
        "must be a name of Kubernetes: lower-case letters, digits and -, at most 44",
        "e.g. summarizer",
    ),
]
_Namespace = Annotated[str, Written(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "must be a namespace's name", "e.g. models")]
_GatewayName = Annotated[
    str,
    Written(
        r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?",
        "must be a gateway's name, with its namespace in front",
        "e.g. gateway: kserve/kserve-ingress-gateway",
    ),
]
_Host = Annotated[
    str,
    Written(
        r"(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
        "is no host name",
        "e.g. summarizer.example.com",
    ),
]
_Prefix = Annotated[str, Written(r"/[\x21\x22\x24-\x3e\x40-\x7e]{0,499}", "must be a path", "e.g. /v2")]
_Percent = Annotated[int, Field(ge=1, le=100)]


def _ascending(steps: tuple[int, ...]) -> tuple[int, ...]:
    for index, (low, high) in enumerate(pairwise(steps)):
        if high <= low:
            raise complaint("must be more than the step before", "e.g. steps: [5, 25, 100]", at=(index + 1,))
    if steps[-1] != 100:  # noqa: PLR2004 - percent
        raise complaint("must end with 100", f"write steps: [{', '.join(map(str, steps))}, 100]")
    return steps


class GatewaySection(Section):
    """Where the service's traffic comes from. For the modes `route` and `deployment`."""

    short: ClassVar[str] = "name"
    written_as: ClassVar[str] = "a gateway's name or a mapping"

    name: _GatewayName = Field(examples=["kserve/kserve-ingress-gateway"])
    """The Gateway, with its namespace in front where that is another one."""
    listener: Given[_Name] = None
    """The Gateway's listener. Left out: every one that fits."""
    hosts: Many[_Host] = ()
    """The host names that the service answers to. Left out: the Gateway's own."""
    paths: Annotated[Many[_Prefix], Field(min_length=1)] = ("/",)
    """The prefixes of paths that the service answers. A service with a route of its own needs its protocol's: `/v2`."""


class DeploySection(Section):
    """The service on a Kubernetes cluster that the model becomes a part of, step by step."""

    service: _Name = Field(examples=["summarizer"])
    """What the service is called. Objects of a release have it in front of their names."""
    namespace: Given[_Namespace] = None
    """The namespace. Left out: the context's."""
    context: Given[Line] = None
    """The context of the kubeconfig. Left out: the current one; inside a cluster, that cluster."""
    mode: Literal["auto", "route", "deployment", "replicas", "knative", "standard"] = "auto"
    """How the two models share traffic. `auto` takes what this cluster can do, and says what it took and why."""
    manifest: Line = Field(examples=["deploy/summarizer.yaml"])
    """The file with the InferenceService or Deployment that runs the model, relative to the configuration's folder."""
    gateway: Given[GatewaySection] = None
    """The Gateway in front of the service: its name, or a mapping."""
    url: Given[Annotated[str, AfterValidator(checked_address)]] = None
    """Where this machine reaches the service, e.g. the Gateway's address. Needed for `checks` and `shadow`."""
    steps: Annotated[tuple[_Percent, ...], Field(strict=False, min_length=1), AfterValidator(_ascending)] = (5, 25, 100)
    """Percent of the traffic that the model gets, step by step. The last one is 100."""
    hold: Duration = lasting("10m")
    """How long each step lasts at least."""
    shadow: Given[Duration] = None
    """How long users' requests are copied to the model before the first step: nobody gets its answers, and it is judged
    like a step. Left out: none is copied. For the modes `route` and `deployment`."""
    audience: Given[AudienceSection] = None
    """Whose requests the model gets, all of them and no others, for `hold`; then it gets everything, if it passed.
    Stands in for the steps before 100. For the modes `route` and `deployment`."""
    patience: Duration = lasting("5m")
    """How long to wait for what should happen by itself: pods that load, a weight that takes effect, a reading."""
    deadline: Duration = lasting("4h")
    """How long the whole may take. Then the traffic goes back."""
    max_age: Duration = lasting("24h")
    """How old the verdict may be."""
    checks: Many[Line] = ()
    """Checks of this file that the deployed model must pass before it gets traffic, and in each step, beside the one
    that serves."""
    check_every: Duration = lasting("5m")
    """In a step they are asked when it begins, and then so often."""
    analysis: Given[AnalysisSection] = None
    """What users' requests are held against in each step. Left out: a step passes when both models stay ready."""

    @model_validator(mode="after")
    def _fits_mode(self) -> Self:
        if self.mode in ("route", "deployment") and self.gateway is None:
            says = f"needs `gateway` with mode {self.mode}"
            raise complaint(
                says, "e.g. gateway: {name: kserve/kserve-ingress-gateway, hosts: [summarizer.example.com]}"
            )
        if self.checks and self.url is None:
            raise complaint("needs `url`: the checks ask through it", "e.g. url: http://summarizer.example.com")
        self._fits_shadow()
        self._fits_audience()
        if self.analysis is not None and (fault := unfit(self.analysis, compares=len(self.steps) > 1 or self._opens)):
            raise fault
        if self.analysis is not None and self.analysis.on_inconclusive == "checks" and not self.checks:
            hint = "add checks: [NAME]; or write on_inconclusive: rollback"
            raise complaint("needs `checks` to decide", hint, at=("analysis", "on_inconclusive"))
        asks_users = self.audience is not None or (self.analysis is not None and self.analysis.is_superior)
        if self.analysis is not None and self.analysis.on_inconclusive == "checks" and asks_users:
            says = "cannot be `checks` with `audience` or `superior`: checks do not show how users are served"
            raise complaint(says, "delete one of them", at=("analysis", "on_inconclusive"))
        steps = 2 if self.audience else len(self.steps)
        least = steps * self.hold + (self.shadow or timedelta())
        if self.deadline <= least:
            says = f"is over before the steps are: they last {least.total_seconds() / 60:g} minutes at least"
            raise complaint(says, "give it more time, or hold each step for less", at=("deadline",))
        return self

    @property
    def _opens(self) -> bool:
        """Whether both models have requests before the first step."""
        return self.shadow is not None or self.audience is not None

    def _fits_audience(self) -> None:
        """Raise for an audience that could not be told apart, or would have other steps beside it."""
        if self.audience is None:
            return
        if self.mode not in ("auto", "route", "deployment"):
            says = f"cannot be had with mode {self.mode}: a gateway tells the requests apart"
            raise complaint(
                says, "write mode: route or mode: deployment, and a gateway; or delete it", at=("audience",)
            )
        if self.shadow is not None:
            raise complaint("is not for an `audience`", "delete one of them", at=("shadow",))
        if "steps" in self.model_fields_set and len(self.steps) > 1:
            says = "must be [100] with an `audience`: it stands in for the steps before"
            raise complaint(says, "delete steps; or delete audience", at=("steps",))

    def _fits_shadow(self) -> None:
        """Raise for a shadow that could not be had, or would show nothing."""
        if self.shadow is None:
            return
        place = ("shadow",)
        if self.mode not in ("auto", "route", "deployment"):
            says = f"cannot be had with mode {self.mode}: a gateway copies the requests"
            raise complaint(says, "write mode: route or mode: deployment, and a gateway; or delete it", at=place)
        if self.url is None:
            says = "needs `url`: the gateway is tried there before it copies users' requests"
            raise complaint(says, "e.g. url: http://summarizer.example.com", at=place)
        if self.analysis is None:
            says = "needs `analysis`: nobody gets the answers, so without rules a shadow shows nothing"
            raise complaint(says, "e.g. analysis: {prometheus: …, rules: {error_rate: {max: 0.01}}}", at=place)
