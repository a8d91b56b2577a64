"""A candidate has copies of requests before it has users, on a real cluster; but not where the gateway cannot copy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import gateway_client
from tests.support.deploy_project import image
from tests.support.envoy_gateway import NAME, envoy_gateway
from tests.support.rollout_cluster import GATEWAY, Place, place
from tests.support.waiting import until

pytestmark = pytest.mark.needs_cluster

OLD, NEW = image("1"), image("2")
RULES = {"error_rate": {"max": 0.1, "max_rise": 0.03}}


@contextmanager
def served(folder: Path, gateway: str = NAME, **deploy: Any) -> Iterator[tuple[Place, str]]:
    """Yield a place where the first model serves all users, and where they ask: Envoy, or the cluster's own gateway."""
    with place("route", folder) as found:
        analysis = {"prometheus": {"url": os.environ["MLGATE_TEST_PROMETHEUS"], "interval": "1s"}, "rules": RULES}
        with envoy_gateway(found.api, folder) as envoy:
            url = envoy if gateway == NAME else os.environ["MLGATE_TEST_GATEWAY"]
            hosts = {"hosts": [found.host]} if "audience" in deploy else {}  # a trial asks by the address alone
            given = {"name": gateway, **hosts}
            found.project.changed(gateway=given, url=url, steps=[50, 100], hold="15s", patience="20s")
            found.deployed(OLD, MODEL_VERSION="one", MODEL_LATENCY="0.02")
            found.project.changed(analysis=analysis, **deploy)
            found.project.judged(NEW)
            yield found, url


@contextmanager
def asked(somewhere: Place, url: str) -> Iterator[gateway_client.Answers]:
    """Let users ask until the block is over; it begins when Prometheus has counted them."""
    with gateway_client.asking(url, somewhere.host) as answers, gateway_client.asking(url, somewhere.host):
        until(lambda: somewhere.run("deploy", "--dry-run")[0] == 0)
        yield answers


def test_a_shadow_is_judged_by_copies_and_users_are_answered_by_what_serves(tmp_path: Path) -> None:
    with served(tmp_path, shadow="20s") as (somewhere, url):
        somewhere.manifest(MODEL_VERSION="two", MODEL_LATENCY="0.02")
        with asked(somewhere, url) as answers:
            code, said = somewhere.run("deploy")
        assert code == 0, said
        assert not answers.lost
        assert "0 %  holding for 20 s, users' requests mirrored" in said
        assert re.search(r" 0 %  passed: [\d.]+% of [\d,]+ requests failed, and [\d.]+% of those", said), said
        until(lambda: somewhere.is_at_rest(NEW) == "")
        assert "mirrored" in (somewhere.project.folder / ".mlgate/rollout/rollout.md").read_text()


def test_a_shadow_that_fails_is_seen_by_no_user(tmp_path: Path) -> None:
    with served(tmp_path, shadow="20s") as (somewhere, url):
        somewhere.manifest(MODEL_VERSION="two", MODEL_LATENCY="0.02", MODEL_ERROR_RATE="0.5")
        with asked(somewhere, url) as answers:
            code, said = somewhere.run("deploy")
        assert code == 4, said
        assert "was given 0 % at most, and is removed" in said
        assert (answers.versions["two"], answers.lost) == (0, [])
        until(lambda: somewhere.is_at_rest(OLD) == "")


def test_a_gateway_that_cannot_mirror_is_found_out_before_users_are(tmp_path: Path) -> None:
    with served(tmp_path, GATEWAY, shadow="20s") as (somewhere, url):
        somewhere.manifest(MODEL_VERSION="two", MODEL_LATENCY="0.02")
        with asked(somewhere, url) as answers:
            code, said = somewhere.run("deploy")
        assert code == 4, said
        assert "the gateway answers 500 to a request that it is to copy, and 404 to one that it is not" in said
        assert (answers.versions["two"], answers.lost) == (0, [])
        until(lambda: somewhere.is_at_rest(OLD) == "")
        assert somewhere.left()["HTTPRoute"] == ["mlgate-summarizer"]


def test_an_audience_is_told_by_a_cookie_and_nobody_else_reaches_the_candidate(tmp_path: Path) -> None:
    cookie = {"name": "group", "value": "b"}
    with served(tmp_path, GATEWAY, audience={"cookie": cookie}) as (somewhere, url):
        written = yaml.safe_load(somewhere.project.config.read_text())
        del written["deploy"]["steps"]
        somewhere.project.config.write_text(yaml.safe_dump(written))
        somewhere.manifest(MODEL_VERSION="two", MODEL_LATENCY="0.02", MODEL_ERROR_RATE="0.5")
        with (
            asked(somewhere, url) as others,
            gateway_client.asking(url, somewhere.host, {"Cookie": "a=1; group=b"}) as audience,
        ):
            code, said = somewhere.run("deploy")
            assert code == 4, said
            assert "was given its audience at most" in said
            assert audience.versions["two"]
            assert (others.versions["two"], others.lost) == (0, [])
            somewhere.manifest(MODEL_VERSION="three", MODEL_LATENCY="0.02")
            code, said = somewhere.run("deploy")
        assert code == 0, said
        assert re.search(r"0 %  holding for 15 s, for its audience\n.* 0 %  passed: .*\n.* 100 %  shifting", said), said
        until(lambda: somewhere.is_at_rest(NEW) == "")


def test_a_candidate_that_must_be_better_and_is_only_as_good_goes_back(tmp_path: Path) -> None:
    with served(tmp_path) as (somewhere, url):
        written = yaml.safe_load(somewhere.project.config.read_text())
        written["deploy"]["analysis"]["rules"]["p95_ms"] = {"superior": True}
        somewhere.project.config.write_text(yaml.safe_dump(written))
        somewhere.manifest(MODEL_VERSION="two", MODEL_LATENCY="0.02")
        with asked(somewhere, url):
            code, said = somewhere.run("deploy")
            assert code == 4, said
            assert "rolled back: the candidate is not shown better: " in said
            somewhere.manifest(MODEL_VERSION="three", MODEL_LATENCY="0.002")
            code, said = somewhere.run("deploy")
        assert code == 0, said
        assert "it is shown better" in said
