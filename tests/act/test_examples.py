"""workflows-examples/ as a user copies them: into a fresh repository with a model, its data and an mlgate.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.act.conftest import Act
from tests.act.consumer import Consumer
from tests.act.judged import held, one_error
from tests.act.project import BAD, EXAMPLES, config, model, rows, write
from tests.act.ran import Ran

pytestmark = pytest.mark.needs_act


def copied(consumer: Consumer, name: str) -> None:
    """What a user does: copy the file, byte for byte."""
    write(consumer, {f".github/workflows/{name}": (EXAMPLES / name).read_text()}, f"copy {name}")


def only_a_model(consumer: Consumer, *folders: str, gate: str = "mlgate.yaml") -> None:
    for folder in folders or (".",):
        write(consumer, {f"{folder}/model.py": model(), f"{folder}/data.jsonl": rows(), f"{folder}/{gate}": config()})


def run(act: Act, consumer: Consumer, name: str) -> Ran:
    return act(consumer, consumer.pull_request(), workflow=f".github/workflows/{name}")


def test_pr_yml_is_green_and_red_when_the_model_is_made_worse(act: Act, consumer: Consumer) -> None:
    only_a_model(consumer)
    consumer.branch("feature")
    copied(consumer, "pr.yml")
    held(run(act, consumer, "pr.yml"), "passed", 0)
    consumer.branch("main", "feature")
    consumer.branch("feature")
    write(consumer, {"model.py": model(BAD)}, "a smaller model")
    ran = run(act, consumer, "pr.yml")
    held(ran, "failed", 1, "FAILED: notes: rougeL 0.4444 is below the minimum 0.6")
    one_error(ran, "mlgate.yaml:9: ")


def test_the_merge_queue_looks_quickly_at_a_pull_request_and_wholly_in_the_queue(act: Act, consumer: Consumer) -> None:
    only_a_model(consumer)
    write(consumer, {"mlgate-quick.yaml": config().replace("data.jsonl", "quick.jsonl"), "quick.jsonl": rows(12)})
    copied(consumer, "merge-queue.yml")
    consumer.branch("feature")
    consumer.commit()
    ran = run(act, consumer, "merge-queue.yml")
    held(ran, "passed", 0)
    assert ran.job("accuracy") == "success"
    assert (ran.artifact("quick-report") / "report.json").is_file()
    ran = act(consumer, consumer.merge_group(), workflow=".github/workflows/merge-queue.yml")
    held(ran, "passed", 0)
    assert [ran.job(f"accuracy-{k}") for k in (1, 2, 3, 4)] == ["success"] * 4


def test_the_nightly_run_asks_main_by_its_own_rules(act: Act, consumer: Consumer) -> None:
    only_a_model(consumer)
    copied(consumer, "nightly.yml")
    write(consumer, {"model.py": model(BAD)}, "what the model became")
    ran = act(consumer, consumer.schedule(), workflow=".github/workflows/nightly.yml")
    held(ran, "failed", 1, "FAILED: notes: rougeL 0.4444 is below the minimum 0.6")


@pytest.mark.parametrize("worse", ["", "translator"])
def test_a_monorepo_is_blocked_by_the_model_that_is_worse(act: Act, consumer: Consumer, worse: str) -> None:
    """act runs no job of the caller behind a called workflow that failed; so its `verdict` is seen when all is well."""
    only_a_model(consumer, "models/summarizer", "models/translator")
    copied(consumer, "monorepo.yml")
    consumer.branch("feature")
    write(consumer, {f"models/{worse}/model.py": model(BAD)} if worse else {"README.md": "two models\n"})
    ran = run(act, consumer, "monorepo.yml")
    verdicts = {job: result for job, result in ran.jobs.items() if job.endswith("/verdict")}
    assert sorted(verdicts.values()) == (["failure", "success"] if worse else ["success"] * 3), ran
    assert ran.code == (1 if worse else 0)
    for name in ("summarizer", "translator"):
        outcome = '"outcome": "failed"' if name == worse else '"outcome": "passed"'
        assert outcome in (ran.artifact(f"{name}-report") / "report.json").read_text()


def test_every_example_that_act_can_run_is_run_here() -> None:
    tested = {"pr.yml", "merge-queue.yml", "nightly.yml", "monorepo.yml"}
    elsewhere = {
        "fork-comment.yml",
        "self-hosted-gpu.yml",
        "deploy.yml",
        "rollback.yml",
        "watch.yml",
        "mlflow.yml",
        "gitops.yml",
    }
    assert {path.name for path in Path(EXAMPLES).glob("*.yml")} == tested | elsewhere
