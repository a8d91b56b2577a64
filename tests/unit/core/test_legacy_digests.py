"""What mlgate wrote in form 1 is verified by the very digest that it has: pinned here as that mlgate computed it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from mlgate.core import legacy_digests
from mlgate.core.check import Example, data_digest
from mlgate.core.errors import Refused
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance, Row
from mlgate.core.identity import FIRST_FORM

ROWS: list[Row] = [
    Observation("notes", "a", {"answer": "Zoë ☃", "seconds": 0.25}),
    Gap("notes", "b", "no answer", "model"),
]
KNOWN = Provenance("1a2b3c+dirty", "f1" * 32, "e1" * 32, (("it's", "d1" * 32), ("speed", "d2" * 32)))
EXAMPLES = (
    Example("a", {"z": [1, 2.5, None, True], "a": "it's"}, ("one", "two"), (("x", "1"), ("y", "2"), ("z", "3"))),
    Example("b", "Zoë ☃", (), (("x", "4"), ("y", "5"), ("z", "6"))),
)
SLICED = {
    (): "32f0177d0e7a0a64acb0ef4183b7e2d14d780b34788f35bdd0bcb740e8b69c3b",
    ("x",): "cb1d47a2164ce490cb85428942582f0168e3766acb1b8cfa5a25e10e7c8b1dcd",
    ("z",): "392e62cc4138cbd46081f4466a258f2c310e20a387e90057c2f42b1bc399e0bf",
    ("x", "y"): "5d4cc5f6eac02f45ad75ff2ce7844b1d4c44d1ff6507983f037aa211b3553906",
    ("z", "y"): "55484db9698bf1dc52e5580b541e9818227e57669b9b8550b331a5bef51c16ec",
    ("x", "y", "z"): "85a4f6425ce0bf72787bc91bd1e12fbda6381aca59865ddb428e0d2f817af496",
    ("z", "x", "y"): "a8fb13dd5bba33fd69a2f3e5139cd99f3b9bb3e4f3344f12b6c51406d4741d63",
}


@pytest.mark.parametrize(
    ("known", "pinned"),
    [
        (KNOWN, "a63237747a1dfe6e8ee95a47ccb1c84f41a62879254633e687c919ee94ece423"),
        (replace(KNOWN, data=KNOWN.data[:1]), "17e5eb39e922addeb5f513c216d7f4a15c34b03117d36b68bf6543f42cae7a37"),
        (replace(KNOWN, data=()), "a10814f4ac284c53590d21edf87e629dcc08db167f2ea9b262f01068592da3d9"),
        (
            replace(KNOWN, baseline="c1" * 32, run="github-7"),
            "d6eb76c0281241463c52156f9b78d340bf8bc845c3a1f6743ce117869ab8b7e2",
        ),
    ],
)
def test_evidence_keeps_the_digest_that_it_got(known: Provenance, pinned: str) -> None:
    assert Evidence.of(known, [], ROWS, FIRST_FORM).digest == pinned
    assert Evidence.of(known, [], ROWS).digest != pinned


@pytest.mark.parametrize("fields", [fields for fields in SLICED if fields], ids=" ".join)
def test_data_that_was_sliced_by_fields_of_today_is_known_in_whatever_order(fields: tuple[str, ...]) -> None:
    assert legacy_digests.is_of(EXAMPLES, SLICED[fields])
    for order in itertools.permutations(("x", "y", "z")):
        turned = [replace(one, slices=tuple((name, dict(one.slices)[name]) for name in order)) for one in EXAMPLES]
        assert legacy_digests.is_of(turned, SLICED[fields])


@pytest.mark.parametrize(
    "edit",
    [{"id": "c"}, {"input": 1}, {"references": ("one",)}, {"slices": (("x", "9"), ("y", "2"), ("z", "3"))}],
)
def test_edited_data_are_other_data_in_form_1_too(edit: dict[str, object]) -> None:
    edited = [replace(EXAMPLES[0], **edit), EXAMPLES[1]]  # type: ignore[arg-type]
    assert not legacy_digests.is_of(edited, SLICED["x", "y", "z"])
    assert not legacy_digests.is_of(edited[::-1], SLICED["x", "y", "z"])


def test_data_without_slices_have_the_same_digest_in_both_forms() -> None:
    assert data_digest(EXAMPLES) == SLICED[()]


def test_data_that_was_sliced_by_a_field_that_nobody_reads_today_is_not_known() -> None:
    narrowed = [replace(one, slices=one.slices[:1]) for one in EXAMPLES]
    assert legacy_digests.is_of(narrowed, SLICED["x",])
    assert not legacy_digests.is_of(narrowed, SLICED["x", "y"])
    assert not legacy_digests.is_of([], SLICED[()])


def test_the_ways_to_slice_are_bounded_by_the_work_that_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_digests, "_MOST_HASHED", 2)
    assert legacy_digests.is_of(EXAMPLES, SLICED["x", "y", "z"]), "as the check is sliced today comes first"
    assert not legacy_digests.is_of(EXAMPLES, SLICED["z", "y"])


def test_evidence_of_two_forms_is_never_merged() -> None:
    old, new = Evidence.of(KNOWN, [], ROWS, FIRST_FORM), Evidence.of(KNOWN, [], ROWS)
    for one, other in ((old, new), (new, old)):
        with pytest.raises(Refused, match="two forms") as raised:
            one | other
        assert "one version of mlgate" in raised.value.hint
    assert (old | old).digest == old.digest
