"""`mlgate check` on images of a real network behind a real KServe server: examples/minilm, as a user gates it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.desk import Desk, Done
from tests.e2e.timed import taken
from tests.support.child_environment import TO_THE_INDEX, child_environment, only

pytestmark = [pytest.mark.needs_docker, pytest.mark.alone]
ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples/minilm"
MUCH_SLOWER = "mlgate-test-minilm:slow"
"""What is said of a machine that is too busy to take times on."""


@pytest.fixture(scope="session", autouse=True)
def images() -> None:
    """Build the example's images, and one that works a third longer: what no noise can hide."""
    fetched = subprocess.run(
        ["make", "-s", ".cache/minilm/.done", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=child_environment(),
    )
    if fetched.returncode:
        (pytest.fail if "docker" in os.environ.get("MLGATE_REQUIRE", "") else pytest.skip)(
            f"needs a network's weights: make minilm ({fetched.stderr.strip()[-200:]})"
        )
    subprocess.run(
        ["make", "-s", "minilm"], cwd=ROOT, check=True, capture_output=True, env=child_environment(**only(TO_THE_INDEX))
    )
    dockerfile = b"FROM minilm-summarizer:main\nENV SLOWER=0.33\n"
    subprocess.run(
        ["docker", "build", "--tag", MUCH_SLOWER, "-"],
        input=dockerfile,
        check=True,
        capture_output=True,
        env=child_environment(),
    )


def check(desk: Desk, candidate: str, *, timed: bool = True) -> Done:
    """Gate *candidate* by the example's own rules: in half of its time, or by its answers alone."""
    shutil.copy(EXAMPLE / "data.jsonl", desk.root)
    text = (EXAMPLE / "mlgate.yaml").read_text()
    speed = text[text.index("  speed:") : text.index("baseline:")]
    short = speed.replace("duration: 20s", "duration: 10s").replace("budget: 60s", "budget: 30s")
    assert short.count("10s") == short.count("30s") == 1
    text = text.replace(speed, short if timed else "").replace("minilm-summarizer:pr", candidate)
    assert text.count(candidate) == 1 + (candidate in text[text.index("baseline:") :])
    desk.write("mlgate.yaml", text)
    return desk.mlgate("check")


def finding(desk: Desk, rule: str) -> str:
    return next(
        str(f["outcome"]) for f in desk.report["findings"] if f"{f['check']} {f['metric']} {f['bound']}" == rule
    )


def test_the_network_gives_the_published_similarities() -> None:
    sentences = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    command = ["docker", "run", "--rm", "--network=none", "minilm-summarizer:main", "-m", "serving.encoder", *sentences]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=child_environment()).stdout
    assert said == "1.0000 0.6660 0.1046\n0.6660 1.0000 0.1411\n0.1046 0.1411 1.0000\n"  # sentence-transformers' README


def test_a_refactoring_changes_no_answer(desk: Desk) -> None:
    done = check(desk, "minilm-summarizer:pr", timed=False)
    assert done.code == 0, done.out + done.err
    assert "nothing that was observed differs" in " ".join(done.out.split())


def test_the_same_image_against_itself_is_not_found_slower(desk: Desk) -> None:
    done = taken(desk, lambda: check(desk, "minilm-summarizer:main"))
    assert finding(desk, "summaries rougeL max_drop") == "passed"
    assert finding(desk, "speed error_rate max") == "passed"
    assert done.code in {0, 3}, done.out + done.err  # 3: half a minute can be too short to be sure


def test_a_slower_image_with_the_same_answers_is_blocked(desk: Desk) -> None:
    done = taken(desk, lambda: check(desk, MUCH_SLOWER))
    assert finding(desk, "summaries rougeL max_drop") == "passed"
    assert done.code == 1, done.out + done.err
    assert finding(desk, "speed p50_ms max_rise") == "failed"
