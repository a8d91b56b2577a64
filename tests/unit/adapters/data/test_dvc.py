import hashlib
import os
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from mlgate.adapters.data import dvc
from mlgate.adapters.data.dvc import DvcVersion, is_left_behind, version_of
from mlgate.adapters.data.lines import PIECE

# as DVC 3.67.1 wrote it: `wdir: sub` of `prep` stands in dvc.yaml only, and equal parameters become aliases
LOCK = """\
schema: '2.0'
stages:
  prep:
    cmd: cp ../data/test.jsonl out.jsonl
    deps:
    - path: ../data/test.jsonl
      hash: md5
      md5: 4588ff3797b78d819d858fa3bdd82b09
      size: 8
    outs:
    - path: out.jsonl
      hash: md5
      md5: 4588ff3797b78d819d858fa3bdd82b09
      size: 8
  loop@é:
    cmd: echo é > l-é.txt
    deps:
    - path: data/set
      hash: md5
      md5: 304256ace896aa8f5586a35746eccb4e.dir
      size: 8
      nfiles: 2
    params:
      params.yaml:
        p: &id002
        - 1
        - 2
        q: *id002
    outs:
    - path: l-é.txt
      hash: md5
      md5: 88df14e6957d2adb8ae54d0269f546ab
      size: 3
"""
PIPELINE = """\
stages:
  prep:
    cmd: cp ../data/test.jsonl out.jsonl
    wdir: sub
    deps: [../data/test.jsonl]
    outs: [out.jsonl]
  loop:
    foreach: [x, "é"]
    do:
      cmd: echo ${item} > l-${item}.txt
      deps: [data/set]
      params: [p, q]
      outs: ["l-${item}.txt"]
"""
# DVC 1: no schema, no `hash`
OLDEST_LOCK = """\
s:
  cmd: cp data/t.txt o.txt
  deps:
  - path: data/t.txt
    md5: dd8c6a395b5dd36c56d23275028f526c
  outs:
  - path: o.txt
    md5: dd8c6a395b5dd36c56d23275028f526c
"""
NAMES = st.sampled_from(["data/test.jsonl", "test.jsonl", "a/b/c/x.csv", "ä ö.jsonl"])


def put(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def out(path: str, value: str, *, name: str = "md5", hashed: str = "  hash: md5\n") -> str:
    return f"outs:\n- {name}: {value}\n  size: 8\n{hashed}  path: {path}\n"


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_what_dvc_add_wrote_is_read(tmp_path: Path) -> None:
    data = put(tmp_path, "data/test.jsonl", '{"a":1}\n')
    put(tmp_path, "data/test.jsonl.dvc", out("test.jsonl", "4588ff3797b78d819d858fa3bdd82b09"))
    expected = DvcVersion("dvc md5:4588ff3797b78d819d858fa3bdd82b09", "data/test.jsonl.dvc", matches=True)
    assert version_of(data, tmp_path) == expected
    assert version_of(tmp_path / "data/../data/test.jsonl", tmp_path / "data/..") == expected


@given(NAMES, st.binary(max_size=50), st.binary(max_size=50))
def test_the_file_matches_as_long_as_its_content_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, name: str, before: bytes, after: bytes
) -> None:
    root = tmp_path_factory.mktemp("t")
    data = put(root, name, after)
    put(root, f"{name}.dvc", out(data.name, md5(before)))
    found = version_of(data, root)
    assert found == DvcVersion(f"dvc md5:{md5(before)}", f"{name}.dvc", matches=before == after)


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"]), max_size=9).map(b"".join))
@example(b"x" * (PIECE - 1) + b"\r\nb")
def test_before_dvc_3_the_line_ends_of_text_did_not_count(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    root = tmp_path_factory.mktemp("t")
    data = put(root, "t.txt", content)
    pieces = (content[i : i + PIECE] for i in range(0, len(content), PIECE))
    as_unix = b"".join(piece.replace(b"\r\n", b"\n") for piece in pieces)
    for value in (md5(content), md5(as_unix)):
        put(root, "t.txt.dvc", out("t.txt", value, hashed=""))
        found = version_of(data, root)
        assert found
        assert found.matches is True
    put(root, "t.txt.dvc", out("t.txt", md5(as_unix)))
    found = version_of(data, root)
    assert found
    assert found.matches is (as_unix == content), "DVC 3 says `hash: md5` and means the bytes"


def test_a_tracked_folder_names_all_that_it_holds(tmp_path: Path) -> None:
    data = put(tmp_path, "data/set/deep/a.txt", "a")
    put(tmp_path, "data/set.dvc", out("set", "304256ace896aa8f5586a35746eccb4e.dir"))
    expected = DvcVersion("dvc md5:304256ace896aa8f5586a35746eccb4e.dir", "data/set.dvc", matches=None)
    assert version_of(data, tmp_path) == expected
    assert version_of(tmp_path / "data/set", tmp_path) == expected
    assert version_of(put(tmp_path, "data/other.txt", "a"), tmp_path) is None
    assert version_of(put(tmp_path, "data/set2/a.txt", "a"), tmp_path) is None


def test_a_folder_that_lists_its_files_says_it_of_each(tmp_path: Path) -> None:
    data = put(tmp_path, "set/deep/a.txt", "a")
    files = f"  files:\n  - relpath: deep/a.txt\n    md5: {md5(b'a')}\n    size: 1\n"
    put(tmp_path, "set.dvc", f"outs:\n- path: set\n  hash: md5\n{files}")
    assert version_of(data, tmp_path) == DvcVersion(f"dvc md5:{md5(b'a')}", "set.dvc", matches=True)
    assert version_of(put(tmp_path, "set/b.txt", "a"), tmp_path) is None
    put(tmp_path, "set/deep/a.txt", "a\r\n")
    for hashed, matches in (("", True), ("  hash: md5\n", False)):
        put(tmp_path, "set.dvc", f"outs:\n- path: set\n{hashed}{files}".replace(md5(b"a"), md5(b"a\n")))
        found = version_of(data, tmp_path)
        assert found
        assert found.matches is matches


def test_a_folder_with_the_hash_of_a_file_says_nothing_of_what_it_holds(tmp_path: Path) -> None:
    put(tmp_path, "set.dvc", out("set", "0" * 32))
    assert version_of(put(tmp_path, "set/a.txt", "a"), tmp_path) is None


def test_paths_of_a_pointer_begin_at_its_wdir(tmp_path: Path) -> None:
    data = put(tmp_path, "sub/test.txt", "w\n")
    put(tmp_path, "sub/test.txt.dvc", f"wdir: ..\n{out('sub/test.txt', md5(data.read_bytes()))}")
    found = version_of(data, tmp_path)
    assert found
    assert found.matches is True
    put(tmp_path, "sub/test.txt.dvc", f"wdir: ..\n{out('test.txt', md5(data.read_bytes()))}")
    assert version_of(data, tmp_path) is None, "it speaks of another file"


def test_outputs_and_what_stages_read_are_found_in_a_lock(tmp_path: Path) -> None:
    put(tmp_path, "dvc.lock", LOCK)
    put(tmp_path, "dvc.yaml", PIPELINE)
    value = "dvc md5:4588ff3797b78d819d858fa3bdd82b09"
    for name in ("sub/out.jsonl", "data/test.jsonl"):
        assert version_of(put(tmp_path, name, '{"a":1}\n'), tmp_path) == DvcVersion(value, "dvc.lock", matches=True)
    for name in ("out.jsonl", "sub/l-é.txt"):
        assert version_of(put(tmp_path, name, '{"a":1}\n'), tmp_path) is None, "its stage ran in another folder"
    looped = version_of(put(tmp_path, "l-é.txt", "é\n"), tmp_path)
    assert looped == DvcVersion("dvc md5:88df14e6957d2adb8ae54d0269f546ab", "dvc.lock", matches=True)
    held = version_of(put(tmp_path, "data/set/a.txt", "a"), tmp_path)
    assert held == DvcVersion("dvc md5:304256ace896aa8f5586a35746eccb4e.dir", "dvc.lock", matches=None)


def test_a_stage_whose_folder_is_a_template_says_nothing(tmp_path: Path) -> None:
    put(tmp_path, "dvc.lock", LOCK)
    put(tmp_path, "dvc.yaml", PIPELINE.replace("wdir: sub", "wdir: ${place}"))
    assert version_of(put(tmp_path, "out.jsonl", "x"), tmp_path) is None


def test_stages_of_one_loop_run_where_it_says(tmp_path: Path) -> None:
    put(tmp_path, "dvc.lock", LOCK)
    put(tmp_path, "dvc.yaml", PIPELINE.replace("    do:\n", "    do:\n      wdir: there\n"))
    assert version_of(put(tmp_path, "there/l-é.txt", "é\n"), tmp_path)
    assert version_of(put(tmp_path, "l-é.txt", "é\n"), tmp_path) is None


def test_a_lock_of_dvc_1_is_read(tmp_path: Path) -> None:
    put(tmp_path, "dvc.lock", OLDEST_LOCK)
    expected = DvcVersion("dvc md5:dd8c6a395b5dd36c56d23275028f526c", "dvc.lock", matches=True)
    assert version_of(put(tmp_path, "o.txt", "a\r\nb\r\n"), tmp_path) == expected


def test_what_dvc_tracks_says_more_than_what_a_stage_read(tmp_path: Path) -> None:
    data = put(tmp_path, "data/test.jsonl", "now\n")
    put(tmp_path, "data/dvc.lock", LOCK.replace("../data/test.jsonl", "test.jsonl"))
    put(tmp_path, "data.dvc", out("data", f"{'0' * 32}.dir"))
    first = version_of(data, tmp_path)
    assert first == DvcVersion(f"dvc md5:{'0' * 32}.dir", "data.dvc", matches=None)
    put(tmp_path, "data/test.jsonl.dvc", out("test.jsonl", md5(b"now\n")))
    nearest = version_of(data, tmp_path)
    assert nearest == DvcVersion(f"dvc md5:{md5(b'now' + bytes([10]))}", "data/test.jsonl.dvc", matches=True)


def test_what_a_stage_wrote_says_more_than_what_the_next_one_read(tmp_path: Path) -> None:
    read, wrote = (
        f"    {kind}:\n    - {{path: x.csv, hash: md5, md5: {md5(kind.encode())}}}\n" for kind in ("deps", "outs")
    )
    put(tmp_path, "dvc.lock", f"schema: '2.0'\nstages:\n  a:\n{read}  b:\n{wrote}")
    found = version_of(put(tmp_path, "x.csv", "outs"), tmp_path)
    assert found == DvcVersion(f"dvc md5:{md5(b'outs')}", "dvc.lock", matches=True)


def test_a_hash_in_capitals_is_the_same_hash(tmp_path: Path) -> None:
    put(tmp_path, "x.csv.dvc", out("x.csv", md5(b"x").upper()))
    found = version_of(put(tmp_path, "x.csv", "x"), tmp_path)
    assert found == DvcVersion(f"dvc md5:{md5(b'x')}", "x.csv.dvc", matches=True)


@pytest.mark.parametrize("name", ["etag", "checksum"])
def test_a_hash_of_another_kind_is_a_version_that_cannot_be_compared(tmp_path: Path, name: str) -> None:
    put(tmp_path, "x.csv.dvc", out("x.csv", "0x8DB", name=name))
    expected = DvcVersion(f"dvc {name}:0x8DB", "x.csv.dvc", matches=None)
    assert version_of(put(tmp_path, "x.csv", "x"), tmp_path) == expected


def test_data_that_is_absent_has_a_version_and_no_content_to_compare(tmp_path: Path) -> None:
    put(tmp_path, "x.csv.dvc", out("x.csv", "0" * 32))
    assert version_of(tmp_path / "x.csv", tmp_path) == DvcVersion(f"dvc md5:{'0' * 32}", "x.csv.dvc", matches=None)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\0",
        b"\xff",
        "outs",
        "outs: {path: x.csv}",
        "outs: [x.csv]",
        "outs: [{path: [x.csv], md5: 00000000000000000000000000000000}]",
        "outs: [{path: x.csv}]",
        "outs: [{path: x.csv, md5: 7}]",
        "outs: [{path: x.csv, md5: [00000000000000000000000000000000]}]",
        "outs: [{path: x.csv, md5: 00000000000000000000000000000000, ]}",
        "outs: [{path: ../x.csv, md5: 00000000000000000000000000000000}]",
        "outs: [{path: s3://bucket/x.csv, md5: 00000000000000000000000000000000}]",
        'outs: [{path: "x.csv\\0", md5: 00000000000000000000000000000000}]',
        'outs: [{path: x.csv, etag: "two\\nlines"}]',
        "outs: [{path: x.csv, md5: 00000000000000000000000000000000}]\n---\nouts: []",
        "a: &a [{path: x.csv, md5: 00000000000000000000000000000000}]\nouts: *a",
        "outs: [{path: x.csv, md5: !!python/object/apply:os.system [x]}]",
        "wdir: /\nouts: [{path: x.csv, md5: 00000000000000000000000000000000}]",
        "x: " + "[" * 70 + "]" * 70 + "\n" + out("x.csv", "0" * 32),
        "x: " + "[" * 100_000,
        "? [a]\n: b\n? {c: d}\n: e\n",
        out("x.csv", "0" * 32) + "#" * (1 << 20),
    ],
)
def test_a_malformed_pointer_is_none(tmp_path: Path, content: str | bytes) -> None:
    data = put(tmp_path, "x.csv", "x")
    put(tmp_path, "x.csv.dvc", content)
    assert version_of(data, tmp_path) is None


@given(st.text("outspathmd5wir:-[]{}&*!'\"0#|> \n\t", max_size=200) | st.binary(max_size=200))
def test_no_pointer_lock_or_pipeline_can_stop_a_run(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    root = tmp_path_factory.mktemp("t")
    data = put(root, "x.csv", "x")
    for name in ("x.csv.dvc", "dvc.lock", "dvc.yaml"):
        put(root, name, content)
        version_of(data, root)
    put(root, "dvc.lock", LOCK)
    version_of(data, root)


def test_a_pointer_with_too_much_in_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = put(tmp_path, "x.csv", "x")
    put(tmp_path, "x.csv.dvc", f"x: [{'a, ' * 200}]\n{out('x.csv', '0' * 32)}")
    assert version_of(data, tmp_path)
    monkeypatch.setattr(dvc, "MOST_EVENTS", 200)
    assert version_of(data, tmp_path) is None


def test_a_bomb_of_aliases_is_never_expanded(tmp_path: Path) -> None:
    doubled = (f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghijklmnop"))
    data = put(tmp_path, "x.csv", "x")
    put(tmp_path, "x.csv.dvc", f"a: &a [lol]\n{''.join(doubled)}{out('x.csv', '0' * 32)}")
    found = version_of(data, tmp_path)
    assert found
    assert found.matches is False


def test_no_link_leads_out_of_the_tree(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(tmp_path, "elsewhere/x.csv", "x")
    put(tmp_path, "elsewhere/x.csv.dvc", out("x.csv", md5(b"x")))
    put(root, "x.csv", "x")
    (root / "x.csv.dvc").symlink_to("../elsewhere/x.csv.dvc")
    (root / "dvc.lock").symlink_to("x.csv.dvc")
    (root / "folder").symlink_to("../elsewhere")
    assert version_of(root / "x.csv", root) is None
    assert version_of(root / "folder/x.csv", root) is None
    assert version_of(tmp_path / "elsewhere/x.csv", root) is None
    (tmp_path / "root.dvc").symlink_to("root/inside.dvc")
    put(root, "inside.dvc", out("root", f"{'0' * 32}.dir"))
    assert version_of(root, root) is None
    assert version_of(root / "other.csv", root) is None
    (root / "linked.csv").symlink_to("../elsewhere/x.csv")
    put(root, "linked.csv.dvc", out("linked.csv", md5(b"x")))
    assert version_of(root / "linked.csv", root) == DvcVersion(f"dvc md5:{md5(b'x')}", "linked.csv.dvc", matches=None)


def test_a_link_into_dvcs_own_cache_is_the_file(tmp_path: Path) -> None:
    put(tmp_path, ".dvc/cache/files/md5/9d/d4", "x")
    (tmp_path / "x.csv").symlink_to(".dvc/cache/files/md5/9d/d4")
    put(tmp_path, "x.csv.dvc", out("x.csv", md5(b"x")))
    found = version_of(tmp_path / "x.csv", tmp_path)
    assert found
    assert found.matches is True


@pytest.mark.parametrize("odd", ["pipe", "folder", "loop"])
def test_what_is_no_plain_file_is_no_pointer(tmp_path: Path, odd: str) -> None:
    data, pointer = put(tmp_path, "x.csv", "x"), tmp_path / "x.csv.dvc"
    match odd:
        case "pipe":
            os.mkfifo(pointer)
        case "folder":
            pointer.mkdir()
        case _:
            pointer.symlink_to(pointer)
    assert version_of(data, tmp_path) is None


def test_a_path_that_cannot_exist_has_no_version(tmp_path: Path) -> None:
    for name in ("a\0b", "\ud800", "x" * 5000):
        assert version_of(tmp_path / name, tmp_path) is None
        assert not is_left_behind(tmp_path / name)


def test_the_python_parser_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvc, "_LOADER", yaml.SafeLoader)
    test_outputs_and_what_stages_read_are_found_in_a_lock(tmp_path)


def test_data_is_left_behind_when_only_its_pointer_or_that_of_its_folder_is_here(tmp_path: Path) -> None:
    put(tmp_path, "data/x.csv.dvc", "")
    put(tmp_path, "set.dvc", "")
    assert is_left_behind(tmp_path / "data/x.csv")
    assert is_left_behind(tmp_path / "set/deep/a.csv")
    assert not is_left_behind(tmp_path / "data/y.csv")
    put(tmp_path, "set/b.csv", "")
    assert not is_left_behind(tmp_path / "set/a.csv"), "the folder was pulled: the name is wrong"
    (tmp_path / "data/x.csv").symlink_to(tmp_path / "no cache")
    assert is_left_behind(tmp_path / "data/x.csv")
