"""What is said of a build: the cached share, and whether a Dockerfile's order wastes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlgate.core.build import BuildStep, ImageBuild, outputs

DIGEST = "sha256:" + "ab" * 32


def build(*steps: BuildStep) -> ImageBuild:
    return ImageBuild("m:1", DIGEST, DIGEST, "engine", "", 12.3, steps)


def chain(*instructions: str) -> ImageBuild:
    """Return a build of one stage: each step needs the one before."""
    steps = [f"[stage-1 {n}/{len(instructions)}] {text}" for n, text in enumerate(instructions, 1)]
    return build(*(BuildStep(name, 1.0, after=(n - 1,) if n else ()) for n, name in enumerate(steps)))


def test_the_base_and_what_a_builder_does_around_the_steps_count_for_nothing() -> None:
    made = build(
        BuildStep("[internal] load build context", 1),
        BuildStep("[base 1/3] FROM docker.io/library/python:3.11-slim@sha256:00", 9, cached=True),
        BuildStep("[base 2/3] RUN make", 8, cached=True),
        BuildStep("[linux/amd64 base 3/3] COPY . /app", 0.1),
        BuildStep("exporting to image", 2),
    )
    assert [step.instruction for step in made.steps] == ["RUN make", "COPY . /app"]
    assert (made.cached, made.percent) == (1, 50)


def test_almost_all_is_not_all() -> None:
    steps = [BuildStep(f"[{n}/300] RUN {n}", 0, cached=n > 1) for n in range(1, 301)]
    assert build(*steps).percent == 99


def test_an_image_without_steps_has_no_share() -> None:
    assert build(BuildStep("exporting to image", 1)).percent == 0


@pytest.mark.parametrize(
    "copies", ["COPY . .", "COPY . /app", "COPY --link --chown=1:1 ./ /app", 'COPY ["." , "/app"]', "ADD . /app"]
)
@pytest.mark.parametrize(
    "installs",
    [
        "RUN pip install -r requirements.txt",
        "RUN --mount=type=cache,target=/root/.cache python -m pip --quiet install x",
        'RUN ["python", "-m", "pip", "install", "x"]',
        "RUN uv sync --locked",
        "RUN apt-get update && apt-get install -y gcc",
        "RUN npm ci",
    ],
)
def test_copying_all_before_installing_is_seen(copies: str, installs: str) -> None:
    made = chain(copies, "WORKDIR /app", installs)
    assert made.misplaced == (made.all[0].name, made.all[2].name)


@pytest.mark.parametrize(
    "instructions",
    [
        ("RUN pip install -r requirements.txt", "COPY . /app"),
        ("COPY requirements.txt /", "RUN pip install -r requirements.txt"),
        ("COPY src /app/src", "RUN make"),
        ("COPY . /app", "RUN python -m compileall /app"),
        ("COPY .env /app", "RUN pip install x"),
    ],
)
def test_a_good_order_is_no_waste(instructions: tuple[str, ...]) -> None:
    assert chain(*instructions).misplaced is None


def test_a_copy_in_a_stage_that_the_installing_one_does_not_need_is_no_waste() -> None:
    one = BuildStep("[a 1/1] COPY . /app", 1)
    assert build(one, BuildStep("[b 1/1] RUN pip install x", 1)).misplaced is None
    assert build(one, BuildStep("[b 1/1] RUN pip install x", 1, after=(0,))).misplaced is not None


def test_a_step_in_a_circle_ends() -> None:
    assert (
        build(BuildStep("[1/2] RUN pip install x", 1, after=(1,)), BuildStep("[2/2] RUN x", 1, after=(0,))).misplaced
        is None
    )


def test_the_three_slowest_are_told_whoever_made_them() -> None:
    made = build(*(BuildStep(f"step {n}", n / 10) for n in range(6)), BuildStep("none", 0.05))
    assert [step.name for step in made.slowest] == ["step 5", "step 4", "step 3"]


def test_outputs_are_digests_and_whole_numbers() -> None:
    pushed = replace(chain("RUN a"), image=f"127.0.0.1:5000/acme/m@{DIGEST}")
    assert outputs(pushed) == {"image": pushed.image, "digest": DIGEST, "cached": "0", "seconds": "12"}


@pytest.mark.parametrize("image", ["sha256:0", f"{DIGEST}\nverdict=passed", "m:1", f"m x@{DIGEST}"])
def test_an_output_of_another_form_is_never_written(image: str) -> None:
    with pytest.raises(AssertionError):
        outputs(replace(chain("RUN a"), image=image))
