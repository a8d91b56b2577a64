"""Only what the verdict is about reaches the cluster: everything else is refused with exit code 5."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support import samples

from mlgate.core.deploy.release import PushedImage
from mlgate.core.errors import Refused
from mlgate.core.outcome import Outcome
from mlgate.core.report import LoadSummary, Report
from mlgate.flow.deploy.release import release_of

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
IMAGE = "ghcr.io/acme/summarizer@sha256:" + "1" * 64
DAY = timedelta(days=1)


def of(one: Report, judged: str = "2026-11-30T11:00:00Z") -> str:
    return release_of(one, "f" * 64, judged, now=NOW, max_age=DAY, link="").image


OF_OUTCOME = {
    Outcome.PASSED: samples.passing,
    Outcome.FAILED: samples.failing,
    Outcome.ERRORED: samples.errored,
    Outcome.INCONCLUSIVE: samples.inconclusive,
}


def measured(*images: str, outcome: Outcome = Outcome.PASSED) -> Report:
    made = OF_OUTCOME[outcome]()
    load = LoadSummary("speed", "open loop", 1, 0, 1, 1, 0, 0, 1, 1, 0.0, 0.0, 0.0, (), (), ())
    loads = [replace(load, facts=(("image.repo_digest", image),)) for image in images]
    return replace(made, loads=tuple(loads))


def test_the_image_that_was_measured_is_the_release() -> None:
    assert of(measured(IMAGE, IMAGE)) == IMAGE


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERRORED, Outcome.INCONCLUSIVE])
def test_a_verdict_that_blocks_is_refused(outcome: Outcome) -> None:
    with pytest.raises(Refused, match="does not let this model through"):
        of(measured(IMAGE, outcome=outcome))


@pytest.mark.parametrize(
    ("judged", "says"),
    [
        ("2026-11-28T11:00:00Z", "hours old"),
        ("2026-12-01T11:00:00Z", "which is in the future"),
        ("", "does not say when"),
        ("yesterday", "does not say when"),
    ],
)
def test_a_verdict_of_another_time_is_refused(judged: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        of(measured(IMAGE), judged)


@pytest.mark.parametrize(
    "images",
    [
        (),
        ("",),
        (IMAGE, IMAGE.replace("1", "2")),
        ("summarizer:latest",),
        ("sha256:" + "1" * 64,),
        (f"{IMAGE}\n",),
    ],
)
def test_an_image_that_is_not_named_by_one_digest_is_refused(images: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as raised:
        of(measured(*images))
    assert raised.value.exit_code == 5


ID = f"sha256:{'9' * 64}"
PUSHED = PushedImage(IMAGE, frozenset({ID, f"sha256:{'1' * 64}"}))


def by_content(*ids: str) -> Report:
    made = measured(*["" for _ in ids])
    return replace(made, loads=tuple(replace(made.loads[n], facts=(("image", one),)) for n, one in enumerate(ids)))


def released(report: Report, pushed: PushedImage = PUSHED) -> str:
    given = release_of(report, "f" * 64, "2026-11-30T11:00:00Z", now=NOW, max_age=DAY, link="", pushed=pushed)
    return given.image


def test_an_image_that_was_judged_by_its_content_is_deployed_from_where_it_was_pushed() -> None:
    assert released(by_content(ID, ID)) == IMAGE


@pytest.mark.parametrize("ids", [[f"sha256:{'8' * 64}"], [ID, f"sha256:{'8' * 64}"], [""], []])
def test_another_image_than_the_one_that_was_judged_is_refused(ids: list[str]) -> None:
    with pytest.raises(Refused, match=r"is not the image that was judged|about no image"):
        released(by_content(*ids))


def test_the_name_in_a_verdict_does_not_make_another_image_the_judged_one() -> None:
    made = by_content(f"sha256:{'8' * 64}")
    facts = (*made.loads[0].facts, ("image.repo_digest", IMAGE))
    with pytest.raises(Refused, match="is not the image that was judged"):
        released(replace(made, loads=(replace(made.loads[0], facts=facts),)))
