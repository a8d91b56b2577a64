"""What a verdict lets onto a cluster. Everything else is refused: another image, a verdict that blocks or is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mlgate.core.deploy.release import BY_DIGEST, PushedImage, Release
from mlgate.core.errors import Outdated, Refused
from mlgate.core.report import Report

_LATER = timedelta(minutes=5)
"""By how much the clock of the machine that judged may be ahead of ours."""


def release_of(
    report: Report,
    verdict: str,
    judged: str,
    *,
    now: datetime,
    max_age: timedelta,
    link: str,
    pushed: PushedImage | None = None,
) -> Release:
    """Return the release that a report is about. *verdict* is its SHA-256, *judged* when (ISO 8601 in UTC).

    *pushed*: where the image that was judged is, of a verdict that knows it by its content alone: it was judged before
    a registry had it, or from an archive. Raises Refused for a verdict that blocks, that is older than *max_age*, that
    names no image by its digest, or that is about another image than *pushed*.
    """
    if report.outcome.blocks:
        raise Refused(
            f"the verdict does not let this model through: it is {report.outcome.name.lower()}: {report.reason}",
            hint="mend the model, then mlgate check",
        )
    refuse_other_questions(report)
    _demand_fresh(judged, now, max_age)
    return Release(
        image=image_of(report, pushed),
        model=report.provenance.model,
        verdict=verdict,
        commit=report.provenance.commit,
        judged=judged,
        link=link,
    )


def refuse_other_questions(report: Report) -> None:
    """Raise Refused for a verdict by rules that a change brought."""
    if report.questions:
        raise Refused(
            "this model was judged by rules that are not the base branch's",
            hint="merge the change of the rules, then judge the model by them: mlgate check",
        )


def judged_before(text: str, now: datetime) -> datetime:
    """Return when a verdict was made, from ISO 8601. Raises Refused for one that does not say it, or the future."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused("the verdict does not say when it was made", hint="mlgate check") from error
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    if when > now + _LATER:
        raise Refused(f"the verdict was made at {text}, which is in the future", hint="is the clock right? date -u")
    return when


def _demand_fresh(judged: str, now: datetime, max_age: timedelta) -> None:
    when = judged_before(judged, now)
    if now - when > max_age:
        hours = (now - when) / timedelta(hours=1)
        raise Outdated(
            f"the verdict is {hours:.0f} hours old, and at most {max_age / timedelta(hours=1):g} are allowed",
            hint="judge the model again: mlgate check",
        )


def image_of(report: Report, pushed: PushedImage | None = None) -> str:
    """Return the image that was started and measured, as `name@sha256:…`: by its name in the verdict, or as *pushed*.

    Raises Refused where there is not one, and where *pushed* is another one.
    """
    if pushed is not None:
        return _judged(report, pushed)
    found = _facts(report, "image.repo_digest")
    if not found:
        raise Refused(
            "the verdict names no image by its digest in a registry",
            hint="name where it is: --image NAME@sha256:DIGEST; a verdict needs a latency check for it",
        )
    if len(found) > 1 or not BY_DIGEST.fullmatch(next(iter(found))):
        raise Refused("the verdict must name one image as NAME@sha256:DIGEST, and does not", hint="mlgate check")
    return found.pop()


def _judged(report: Report, pushed: PushedImage) -> str:
    found = _facts(report, "image")
    if not found:
        raise Refused("the verdict is about no image", hint="it needs a latency check of the image: mlgate check")
    if len(found) > 1 or not found <= pushed.ids:
        raise Refused(
            f"{pushed.ref} is not the image that was judged, which is {', '.join(sorted(found))}",
            hint="judge it: mlgate check --image NAME@sha256:DIGEST",
        )
    return pushed.ref


def _facts(report: Report, wanted: str) -> set[str]:
    return {value for load in report.loads for name, value in load.facts if name == wanted and value}
