"""A build for people."""

from __future__ import annotations

from dataclasses import replace

from tests.conftest import Golden

from mlgate.core.build import BuildStep, ImageBuild, Underway
from mlgate.reports import build_summary

DIGEST = "sha256:" + "ab" * 32
BUILD = ImageBuild(
    name="ghcr.io/acme/summarizer:pr-7",
    image=f"ghcr.io/acme/summarizer@{DIGEST}",
    digest=DIGEST,
    place="registry",
    kept="ghcr.io/acme/summarizer",
    seconds=12.34,
    all=(
        BuildStep("importing cache manifest from ghcr.io/acme/summarizer:buildcache", 0.2, error="not found"),
        BuildStep("[internal] load build context", 1.5),
        BuildStep("[base 1/4] FROM docker.io/library/python:3.11-slim", 0.4, cached=True),
        BuildStep("[base 2/4] COPY . /app", 0.3, cached=True),
        BuildStep("[base 3/4] RUN --mount=type=cache,target=/c   pip install -r requirements.txt", 7.25, after=(3,)),
        BuildStep("[base 4/4] COPY --link serving /app", 0.05, cached=True, after=(4,)),
        BuildStep("exporting to image", 2.5),
    ),
    layers="registry ghcr.io/acme/summarizer:buildcache: read, not written",
)
HOSTILE = BuildStep(
    "[1/1] RUN \x1b[2J@org/team <img src=x> `|` ::set-output\n::error::x", 1.0, error="##[set-output name=a]b\n::x"
)


def test_a_build_in_a_terminal(golden: Golden) -> None:
    golden("reports/build.txt", build_summary.render(BUILD))


def test_a_build_on_the_page_of_a_run(golden: Golden) -> None:
    golden("reports/build.md", build_summary.to_markdown(BUILD))


def test_what_a_dockerfile_says_is_made_harmless_everywhere() -> None:
    build = replace(BUILD, all=(HOSTILE,), name="\x1b]0;x\x07")
    for text in (
        build_summary.render(build),
        build_summary.failure(HOSTILE, ["::set-output name=a::b", "\x1b[31mred"]),
        build_summary.line(Underway(3.0, 1, 0, 0, HOSTILE.name)),
    ):
        assert "\x1b" not in text
        assert "##[" not in text
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    page = build_summary.to_markdown(build) + build_summary.failure_markdown(HOSTILE, ["</code><img src=x>"])
    assert "<img" not in page
    assert "@org" not in page
    assert "\x1b" not in page


def test_the_line_fits_its_width() -> None:
    line = build_summary.line(Underway(12.4, 7, 3, 2, "[2/7] RUN --mount=type=bind,a=b pip install " + "x" * 300), 80)
    assert line.startswith("building: 3 of 7 steps done, 2 cached, 12 s: RUN pip install x")
    assert len(line) == 80


def test_an_image_in_the_engine_needs_one_name() -> None:
    text = build_summary.render(replace(BUILD, image=DIGEST, place="engine", kept="", layers="", all=()))
    assert text.splitlines() == [
        "built ghcr.io/acme/summarizer:pr-7 in 12.3 s: no steps of its own",
        f"  image    {DIGEST}",
        "  in       the local engine",
    ]


def test_one_step_is_one() -> None:
    assert build_summary.share(replace(BUILD, all=(BuildStep("[1/1] RUN x", 1.0),))) == "0 of 1 step cached (0 %)"
