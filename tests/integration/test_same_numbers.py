"""BLEU, chrF, chrF++, TER and ROUGE are sacrebleu's and rouge_score's numbers: whole, sharded and resampled.

1,000 corpora of 5 to 40 examples: real text (docstrings of the standard library) with mutated answers, sentences in
twelve languages, and hostile text; one to three references, as many for every example or not.
"""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from mlgate.core.check import Json
from mlgate.metrics.registry import build
from mlgate.metrics.scorer import Scorer

BLOCKS = 20
CORPORA = 50
"""A block: 20 blocks of 50 are 1,000 corpora, and xdist can share them out."""

MODULES = ("argparse", "ast", "csv", "difflib", "email/message", "inspect", "mailbox", "statistics", "string", "typing")

SENTENCES = (  # with letters that look like Latin ones: that is the point
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "Où est la bibliothèque ? Elle est fermée, hélas !",
    "Быстрая коричневая лиса прыгает через ленивую собаку.",
    "السلام عليكم، كيف حالك اليوم؟",
    "敏捷的棕色狐狸跳过了懒狗。今天天气很好。",
    "速い茶色の狐はのろまな犬を飛び越えます。カタカナも。",
    "빠른 갈색 여우가 게으른 개를 뛰어넘는다.",
    "\N{GREEK CAPITAL LETTER ETA} γρήγορη καφέ αλεπού πηδάει πάνω από τον σκύλο.",
    "İstanbul'da güneşli bir gün; tilki köpeğin üzerinden atlar.",
    "Con cáo nâu nhanh nhẹn nhảy qua con chó lười biếng.",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है।",
    "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ",
)

ODD = (
    *"ab09.,-&;<>\n\r\t \u212a\u0130\u0131\u00df\u00c9\u00a0\u2003\u3000\x85\x1c\u6f22\ud55c\u0301\u200b\ufeff",
    *"{}[]'\"!?:/\\_~|",
    *("&amp;", "&lt;", "<skipped>", "-\n", "1.5", "1,000", "3-4", "a.b", "..", " .", "\r\n", "\U0001f642", "\ud83d"),
)


@cache
def _docstrings() -> tuple[str, ...]:
    library = Path(sysconfig.get_path("stdlib"))
    trees = [ast.parse((library / f"{module}.py").read_text(encoding="utf-8")) for module in MODULES]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))
    texts = (text for node in nodes if (text := ast.get_docstring(node)))
    return tuple("\n".join(" ".join(line.split()[:12]) for line in text.splitlines()[:3]) for text in texts)


def _junk(rng: random.Random) -> str:
    return "".join(rng.choice(ODD) for _ in range(rng.choice((0, 1, 3, 8, 20))))


def _ties(rng: random.Random) -> str:
    """Few words, many lines: where longest common subsequences tie."""
    return "".join(rng.choice("abc") + rng.choice((" ", " ", " ", "\n")) for _ in range(rng.choice((1, 4, 9, 15))))


def _real(rng: random.Random) -> str:
    return rng.choice(_docstrings())


def _foreign(rng: random.Random) -> str:
    return rng.choice(SENTENCES)


def _mutated(rng: random.Random, text: str) -> str:
    words = text.split(" ")
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(words))
        match rng.randrange(5):
            case 0:
                words[place] = rng.choice(words)
            case 1:
                words.insert(place, rng.choice(("the", "\u212aelvin", "1,5", "x\u00a0y", "a\rb")))
            case 2 if len(words) > 1:
                del words[place]
            case 3:
                words[place] = words[place].lower()
            case _:
                words.append(words.pop(place))
    return rng.choice((" ".join(words), " ".join(words), " ".join(words), "", words[0]))


def _corpus(rng: random.Random) -> tuple[list[str], list[list[str]]]:
    make = rng.choice((_real, _real, _foreign, _junk, _ties))
    size = min(40, 5 + int(rng.expovariate(0.25)))
    most = rng.choice((1, 1, 2, 3))
    same = rng.random() < 0.5
    references = [[make(rng) for _ in range(most if same else rng.randint(1, most))] for _ in range(size)]
    references[0][0] = "some text"  # or no reference at all has any, and the corpus is refused
    return [_mutated(rng, rng.choice(several)) for several in references], references


def _sacrebleu(peer: BLEU | CHRF | TER) -> Callable[[list[str], list[list[str]]], float]:
    def score(answers: list[str], references: list[list[str]]) -> float:
        most = max(map(len, references))
        streams = [[several[i] if i < len(several) else None for several in references] for i in range(most)]
        return float(peer.corpus_score(answers, streams).score)  # type: ignore[arg-type] # None: no such reference

    return score


def _rouge_score(name: str, *, stem: bool, column: str) -> Callable[[list[str], list[list[str]]], float]:
    peer = RougeScorer([name], use_stemmer=stem)

    def score(answers: list[str], references: list[list[str]]) -> float:
        pairs = zip(answers, references, strict=True)
        return float(np.mean([getattr(peer.score_multi(several, answer)[name], column) for answer, several in pairs]))

    return score


def _metrics(rng: random.Random) -> list[tuple[Scorer, Callable[[list[str], list[list[str]]], float]]]:
    """Return our metrics with random options beside theirs with the same."""
    bleu: dict[str, Json] = {
        "tokenize": rng.choice(("13a", "13a", "intl", "zh", "char", "none")),
        "smooth_method": rng.choice(("exp", "exp", "floor", "add-k", "none")),
        "max_ngram_order": rng.choice((4, 4, 2, 1, 6)),
        "lowercase": rng.random() < 0.3,
    }
    chrf: dict[str, Json] = {"beta": rng.choice((2, 2, 1, 3)), "whitespace": rng.random() < 0.2}
    ter: dict[str, Json] = {name: rng.random() < 0.3 for name in ("normalized", "no_punct", "asian_support")}
    stem, column = rng.random() < 0.5, rng.choice(("fmeasure", "fmeasure", "precision", "recall"))
    return [
        (build("bleu", bleu), _sacrebleu(BLEU(force=True, **bleu))),  # type: ignore[arg-type] # random options
        (build("chrf", chrf), _sacrebleu(CHRF(**chrf))),  # type: ignore[arg-type] # random options
        (build("chrf++", chrf), _sacrebleu(CHRF(word_order=2, **chrf))),  # type: ignore[arg-type] # random options
        (build("ter", ter), _sacrebleu(TER(**ter))),  # type: ignore[arg-type] # random options
        *(
            (build(name, {"use_stemmer": stem, "score": column}), _rouge_score(name, stem=stem, column=column))
            for name in ("rouge1", "rouge2", "rougeL", "rougeLsum")
        ),
    ]


def _cuts(rng: random.Random, size: int) -> Sequence[int]:
    return sorted({0, size, rng.randint(0, size), rng.randint(0, size)})


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_number_is_the_library_s_whole_sharded_and_resampled(block: int) -> None:
    rng = random.Random(block)
    for _ in range(CORPORA):
        answers, references = _corpus(rng)
        resample = [rng.randrange(len(answers)) for _ in answers]
        cuts = _cuts(rng, len(answers))
        for scorer, theirs in _metrics(rng):
            rows = scorer.statistics(answers, references)
            name = scorer.signature(references)
            whole = pytest.approx(theirs(answers, references), abs=1e-9)
            assert float(scorer.value(rows.sum(0))) == whole, name
            parts = np.array([rows[a:b].sum(0) for a, b in pairwise(cuts)])
            assert float(scorer.value(parts.sum(0))) == whole, name
            drawn = theirs([answers[i] for i in resample], [references[i] for i in resample])
            assert float(scorer.value(rows[resample].sum(0))) == pytest.approx(drawn, abs=1e-9), name


def test_rows_of_shards_are_the_rows_of_the_whole() -> None:
    rng = random.Random(99)
    for _ in range(20):
        answers, references = _corpus(rng)
        references = [["some text", *several] for several in references]  # each shard has text to match
        for scorer, _theirs in _metrics(rng):
            whole = scorer.statistics(answers, references)
            odd = scorer.statistics(answers[1::2], references[1::2])
            even = scorer.statistics(answers[::2], references[::2])
            np.testing.assert_array_equal(whole[1::2], odd)
            np.testing.assert_array_equal(whole[::2], even)
