"""`deploy.checks` over a cluster in memory: the candidate is asked by the file's own checks before it gets traffic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.deploy_project import DeployProject, image, inference_service
from tests.support.fake_kubernetes import NAMESPACE
from tests.support.variant_server import Answer, variants
from tests.support.waiting import until

from mlgate.adapters.files.run_folder import RunFolder
from mlgate.adapters.terminal.rollout_progress import RolloutLines
from mlgate.cli.group import invoke
from mlgate.commands.deploy.online_check import OnlineRounds
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Phase, Reading
from mlgate.core.outcome import Outcome

pytestmark = pytest.mark.usefixtures("fake")

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}
ROWS = 30


class Place:
    """A project with online checks, and what its models answer."""

    def __init__(self, project: DeployProject) -> None:
        self.project = project
        self.names: list[str] = []
        """Of the variants, in the order in which they were asked first."""
        self.answers: list[Answer] = []
        """How each of them answers."""

    def answer(self, variant: str, text: str) -> str | None:
        if variant not in self.names:
            self.names.append(variant)
        return self.answers[self.names.index(variant)](variant, text)

    def deployed(self, digit: str, answer: Answer) -> int:
        self.answers.append(answer)
        self.project.manifest(inference_service(MODEL_VERSION=digit))
        self.project.judged(image(digit))
        return invoke(["deploy"])

    def checks(self, rules: dict[str, Any]) -> None:
        written = yaml.safe_load(self.project.config.read_text())
        written["model"]["image"]["protocol"] = "kserve-v1"
        written["checks"]["answers"] = {"data": "data.jsonl", "rules": rules}
        written["baseline"] = {"from": "file", "path": "baseline.jsonl.gz"}
        written["deploy"]["checks"] = ["answers"]
        self.project.config.write_text(yaml.safe_dump(written))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr("mlgate.flow.deploy.first_check._FOR_S", 0.1)
    monkeypatch.setattr("mlgate.flow.deploy.first_check._REST_S", 0.01)
    monkeypatch.chdir(tmp_path)
    made = Place(DeployProject(Path(), "summarizer", NAMESPACE, gateway=GATEWAY, steps=[50, 100], hold="10ms"))
    texts = [f"the text of row {number} is this" for number in range(ROWS)]
    rows = [f'{{"id": "{n}", "input": "{text}", "reference": "{text}"}}\n' for n, text in enumerate(texts)]
    Path("data.jsonl").write_text("".join(rows))
    with variants(made.answer) as url:
        made.project.changed(url=url)
        yield made


def right(_: str, text: str) -> str:
    return text


def wrong(_: str, text: str) -> str:
    return text.rpartition(" ")[0]


def failing(_: str, __: str) -> None:
    return None


def said(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    return out + err


def test_both_models_are_asked_each_under_its_own_name(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.checks({"rougeL": {"min": 0.5, "max_drop": 0.02}})
    assert place.deployed("1", right) == 0, said(capfd)
    assert place.deployed("2", right) == 0, said(capfd)
    assert len(place.names) == 2
    assert all(name.startswith("summarizer-") for name in place.names)
    assert said(capfd).count("online checks: answers\n") == 2
    assert Path(".mlgate/online/report.json").exists()


@pytest.mark.parametrize(
    ("answer", "why"), [(wrong, "online checks: answers: rougeL"), (failing, "online checks: ")], ids=["worse", "fails"]
)
def test_a_candidate_that_answers_worse_than_what_serves_gets_no_traffic(
    place: Place, capfd: pytest.CaptureFixture[str], answer: Answer, why: str
) -> None:
    place.checks({"rougeL": {"min": 0.5, "max_drop": 0.02}})
    assert place.deployed("1", right) == 0
    said(capfd)
    assert place.deployed("2", answer) == 4
    text = said(capfd)
    assert f"rolled back: {why}" in text
    assert "holding" not in text


def test_rules_of_a_container_and_rules_that_compare_with_nothing_are_left_out_and_told(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.checks({"rougeL": {"min": 0.5}, "chrf": {"max_drop": 0.02}})
    assert place.deployed("1", right) == 0
    assert "answers: online without the rules of chrf: they are about a container of the gate's own, or" in said(capfd)


def test_a_check_without_a_rule_that_can_be_held_takes_the_candidate_back(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.checks({"rougeL": {"max_drop": 0.02}})
    assert place.deployed("1", right) == 4
    assert "check answers has no rule that can be held on a cluster" in said(capfd)


def test_a_model_that_answers_worse_once_it_has_traffic_goes_back(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.checks({"rougeL": {"min": 0.5, "max_drop": 0.02}})
    assert place.deployed("1", right) == 0
    asked: list[str] = []

    def at_first(variant: str, text: str) -> str:
        asked.append(text)
        return right(variant, text) if len(asked) <= ROWS else wrong(variant, text)

    said(capfd)
    assert place.deployed("2", at_first) == 4
    text = said(capfd)
    assert "50 %  holding" in text
    assert "100 %  holding" not in text
    assert "rolled back: online checks: answers: rougeL" in text
    assert len(asked) == 3 * ROWS


def test_a_rollout_whose_process_died_is_gone_on_with(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place.checks({"rougeL": {"min": 0.5, "max_drop": 0.02}})
    assert place.deployed("1", right) == 0
    show = RolloutLines.show

    def dies(lines: RolloutLines, record: ServiceRecord, reading: Reading) -> None:
        show(lines, record, reading)
        if record.rollout and record.rollout.state.phase is Phase.HOLDING:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RolloutLines, "show", dies)
        assert place.deployed("2", right) not in (0, 4)
    assert invoke(["status"]) == 0
    assert "50 %" in said(capfd)
    assert invoke(["deploy"]) == 0
    text = said(capfd)
    assert "50 %  passed: online checks: " in text
    assert "promoted: summarizer is " in text


def test_what_serves_is_asked_by_its_checks_from_time_to_time(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.checks({"rougeL": {"min": 0.999, "max_drop": 0.02}})
    assert place.deployed("1", right) == 0
    said(capfd)
    assert invoke(["watch"]) == 0
    text = said(capfd)
    assert "serves as it should\n" in text
    assert "online checks: " in text
    place.answers[0] = wrong
    assert invoke(["watch"]) == 1
    assert "serves worse than its rules allow" in said(capfd)
    place.answers[0] = failing
    assert invoke(["watch"]) in (1, 3)


@pytest.mark.parametrize("changes", [True, False])
def test_a_file_that_changes_in_mid_rollout_judges_no_round(place: Place, changes: bool) -> None:
    place.checks({"rougeL": {"min": 0.999}})
    place.answers.append(right)
    rounds = OnlineRounds(RunOptions(place.project.config))
    if changes:
        place.checks({"rougeL": {"min": 0.001}})
    new = Deployed(Release(), (), "summarizer-new")
    with rounds:
        rounds.begin(ServiceRecord(candidate=new))
        until(lambda: rounds.ended() is not None)
        found = rounds.ended()
    assert found is not None
    assert found.outcome is (Outcome.ERRORED if changes else Outcome.PASSED)
    assert ("the file changed while the rollout was under way" in found.why) == changes


def test_a_round_that_cannot_begin_is_no_verdict(place: Place) -> None:
    place.checks({"rougeL": {"min": 0.999}})
    rounds = OnlineRounds(RunOptions(place.project.config))
    with RunFolder(Path(".mlgate/online")).held(), rounds:
        rounds.begin(ServiceRecord(candidate=Deployed(Release(), (), "summarizer-new")))
        found = rounds.ended()
    assert found is not None
    assert found.outcome is Outcome.ERRORED
    assert "a round could not begin: " in found.why


def test_examples_that_change_after_the_first_look_judge_no_round(place: Place) -> None:
    place.checks({"rougeL": {"min": 0.999}})
    place.answers.append(right)
    rounds = OnlineRounds(RunOptions(place.project.config))
    record = ServiceRecord(candidate=Deployed(Release(), (), "summarizer-new"))
    with rounds:
        assert rounds.first(load(place.project.config), record).outcome is Outcome.PASSED
        Path("data.jsonl").write_text(Path("data.jsonl").read_text().replace("row 1 ", "row one "))
        rounds.begin(record)
        until(lambda: rounds.ended() is not None)
        found = rounds.ended()
    assert found is not None
    assert found.outcome is Outcome.ERRORED
    assert "the examples or rules are others than at first" in found.why
