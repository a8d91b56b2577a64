"""Addresses of MLflow and of models: which are read, why others are refused, and that none is repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.config.small import tracked, untracked

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:///mlflow.db",
        "sqlite:////var/lib/mlflow.db",
        "sqlite:///../runs of all/mlflow.db",
        "sqlite:///a@b.db?timeout=3",
        "http://mlflow:5000",
        "https://mlflow.example/team/a",
        "http://[::1]:5000",
        "databricks",
        "databricks://profile",
        "databricks://scope:prefix",
        "databricks-uc",
        "postgresql://db:5432/mlflow?sslmode=require&sslkey=client.key",
        "postgresql+psycopg2:///mlflow",
        "mysql+pymysql://db/mlflow",
        "mssql+pyodbc://dsn",
    ],
)
def test_an_address_of_mlflow_is_a_text_or_a_key(uri: str) -> None:
    assert tracked(f'"{uri}"').uri == uri
    assert tracked(f'{{uri: "{uri}"}}').uri == uri


FILES = "must not be a folder: MLflow keeps no new runs in files any more (write sqlite:///mlflow.db)"
FORGETS = "is a database in memory: it forgets every run (write sqlite:///mlflow.db)"
SLASHES = "needs three slashes and a file (write sqlite:///mlflow.db)"
NO_FILE = "names no file (write sqlite:///mlflow.db; four slashes begin an absolute path)"
LIKE = "(write it like sqlite:///mlflow.db or http://mlflow:5000)"
BEHIND = "must not have a part behind ? or # (delete it: MLflow puts its own paths behind the address)"
UNKNOWN = f"must begin with one of http, https, sqlite, databricks, postgresql, mysql and mssql {LIKE}"
PRIVATE = (
    "must not hold a user or a password "
    "(set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the whole address as MLFLOW_TRACKING_URI)"
)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("", FILES),
        ("mlruns", FILES),
        ("./mlruns", FILES),
        ("/var/mlruns", FILES),
        ("file:///var/mlruns", FILES),
        ("FILE:mlruns", FILES),
        ("C:/mlruns", FILES),
        ("sqlite://", FORGETS),
        ("sqlite:///", FORGETS),
        ("sqlite:///:memory:", FORGETS),
        ("sqlite:///%3Amemory%3A?timeout=3", FORGETS),
        ("sqlite:mlflow.db", SLASHES),
        ("sqlite:/mlflow.db", SLASHES),
        ("sqlite://mlflow.db", SLASHES),
        ("sqlite+pysqlite:///mlflow.db", UNKNOWN),
        ("sqlite:///file::memory:?uri=true", NO_FILE),
        ("sqlite:///file:x?mode=memory&uri=true", NO_FILE),
        ("sqlite:////var/", NO_FILE),
        ("sqlite:///..", NO_FILE),
        ("sqlite:///mlflow.db#a", NO_FILE),
        ("http://", f"is no address {LIKE}"),
        ("http://h:99999", f"is no address {LIKE}"),
        ("http://[::1", f"is no address {LIKE}"),
        ("http://h/a b", f"is no address {LIKE}"),
        ("http://hé", f"is no address {LIKE}"),
        (" http://h", f"is no address {LIKE}"),
        ("sqlite:///a\\nb", f"is no address {LIKE}"),
        ("http://h?a=1", BEHIND),
        ("http://h/#/experiments/1", BEHIND),
        ("HTTP://h", UNKNOWN),
        ("mlflow:5000", UNKNOWN),
        ("postgres://db/mlflow", UNKNOWN),
        ("ftp://h", UNKNOWN),
        ("uc:http://h", UNKNOWN),
        ("databricks:", "names no profile (write databricks, or databricks://PROFILE)"),
        ("databricks://", "names no profile (write databricks, or databricks://PROFILE)"),
        ("postgresql://", "names no database (write it like postgresql://db:5432/mlflow)"),
        ("mysql+pymysql:///", "names no database (write it like postgresql://db:5432/mlflow)"),
    ],
)
def test_an_address_that_remembers_nothing_or_leads_nowhere_is_refused(uri: str, expected: str) -> None:
    assert untracked(f'"{uri}"') == f"tracking.mlflow.uri {expected}"


@pytest.mark.parametrize(
    "uri",
    [
        "http://me:hunter2@h",
        "https://hunter2@h/x",
        "http://h/hunter2@x",
        "http:\\\\\\\\me:hunter2@h",
        "postgresql://me:hunter2@db/mlflow",
        "postgresql+psycopg2://me:hun/ter2hunter2@db/mlflow",
        "postgresql://db/mlflow?user=me&password=hunter2",
        "postgresql://db/mlflow?sslpassword=hunter2",
        "mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3Dhunter2",
        "databricks://token:hunter2@h",
        "sqlite://me:hunter2@h/x",
        "me:hunter2@h:5000",
        "http://h?access_token=hunter2",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(uri: str) -> None:
    said = untracked(f'"{uri}"')
    assert said == f"tracking.mlflow.uri {PRIVATE}"
    assert "hunter2" not in said


@given(st.text(st.characters(exclude_categories=["C"]), max_size=30), st.sampled_from(["uri", "registry"]))
def test_no_address_is_ever_repeated(text: str, key: str) -> None:
    secret = "hunter2" + text.replace("\\", "").replace('"', "").replace("'", "")
    written = f'{{uri: "x://{secret}"}}' if key == "uri" else f'{{registry: {{source: "file:{secret}"}}}}'
    assert "hunter2" not in untracked(written)


@pytest.mark.parametrize(
    "source",
    [
        "s3://models/summarizer/3",
        "gs://models/a b".replace(" ", "%20"),
        "models:/summarizer/3",
        "models:/summarizer@champion",
        "runs:/1a2b3c/model",
        "hf://org/name@main",
        "https://h.example/m.tar.gz?download=true",
        "abfss://models@account.dfs.core.windows.net/summarizer",
        "dbfs:/models/a",
        f"docker://ghcr.io/acme/summarizer@{DIGEST}",
        f"docker://ghcr.io:443/acme/summarizer:pr@{DIGEST}",
    ],
)
def test_a_model_lies_anywhere_that_has_an_address(source: str) -> None:
    assert tracked(f'{{registry: {{source: "{source}"}}}}').registry.source == source


WHERE = "(write it like s3://models/summarizer/3, or leave it out)"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", f"must be an address that others can read, not a path of this machine {WHERE}"),
        ("models/a", f"must be an address that others can read, not a path of this machine {WHERE}"),
        ("/etc/passwd", f"must be an address that others can read, not a path of this machine {WHERE}"),
        ("file:///etc/passwd", f"must be an address that others can read, not a path of this machine {WHERE}"),
        ("File:/etc/passwd", f"must be an address that others can read, not a path of this machine {WHERE}"),
        ("C:/models/a", f"must be an address that others can read, not a path of this machine {WHERE}"),
        ("s3:", f"needs a path {WHERE}"),
        ("s3://models", f"needs a path {WHERE}"),
        ("s3://models/", f"needs a path {WHERE}"),
        ("models:summarizer", f"needs a path {WHERE}"),
        ("https:/models/a", f"needs a path {WHERE}"),
        ("s3://models/a b", f"needs a path {WHERE}"),
        (f"docker://summarizer@{DIGEST}", f"needs a path {WHERE}"),
        ("s3://models/a/../b", f"must have a plain path: MLflow refuses . and .. in it {WHERE}"),
        ("s3://models/a/%2e%2e/b", f"must have a plain path: MLflow refuses . and .. in it {WHERE}"),
        ("s3://models/a\\nb", f"is no address {WHERE}"),
        ("https://h:x/a", f"is no address {WHERE}"),
        ("s3://me:pw@models/a", "must not hold a user or a password (whoever loads the model brings their own)"),
        ("s3://me@models/a", "must not hold a user or a password (whoever loads the model brings their own)"),
        (f"s3://me:pw@h/a@{DIGEST}", "must not hold a user or a password (whoever loads the model brings their own)"),
        ("abfss://a:b@h/a", "must not hold a user or a password (whoever loads the model brings their own)"),
        ("https://h/a?sig=pw", "must not hold a user or a password (whoever loads the model brings their own)"),
        (
            "https://h/a?X-Amz-Credential=a",
            "must not hold a user or a password (whoever loads the model brings their own)",
        ),
    ],
)
def test_a_model_that_others_cannot_reach_is_refused(source: str, expected: str) -> None:
    assert untracked(f'{{registry: {{source: "{source}"}}}}') == f"tracking.mlflow.registry.source {expected}"
