"""What people call metrics elsewhere, and what of mlgate's they mean by it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlgate.config.yaml.fault import did_you_mean
from mlgate.core.latency import metrics as latency_metrics

_SEPARATORS = re.compile(r"[-_ .@/]")
_LONGEST_NAME = 64

_LABELS = ("macro_f1", "accuracy")
_MEANT: dict[str, tuple[str, ...]] = {
    "f1": ("macro_f1", "label_f1", "token_f1"),
    "f1score": ("macro_f1", "label_f1", "token_f1"),
    "fscore": ("macro_f1", "label_f1", "token_f1"),
    "f1macro": ("macro_f1",),
    "f1weighted": _LABELS,
    "weightedf1": _LABELS,
    "microf1": ("accuracy",),
    "f1micro": ("accuracy",),
    "precision": (*_LABELS, "label_precision"),
    "recall": (*_LABELS, "label_recall"),
    "balancedaccuracy": _LABELS,
    "acc": ("accuracy",),
    "accuracyscore": ("accuracy",),
    "squadf1": ("token_f1",),
    "f1token": ("token_f1",),
    "em": ("exact_match",),
    "exact": ("exact_match",),
    "match": ("exact_match",),
    "squad": ("exact_match", "token_f1"),
    "rouge": ("rougeL",),
    "sacrebleu": ("bleu",),
    "corpusbleu": ("bleu",),
    "bleuscore": ("bleu",),
    **{f"bleu{n}": ("bleu",) for n in range(1, 5)},
    "chrf2": ("chrf",),
    "chrfpp": ("chrf++",),
    "chrfplusplus": ("chrf++",),
    "worderrorrate": ("wer",),
    "charactererrorrate": ("cer",),
    "charerrorrate": ("cer",),
    "translationeditrate": ("ter",),
    "errors": ("error_rate",),
    "failures": ("error_rate",),
    "failurerate": ("error_rate",),
    "latency": ("p95_ms",),
    "p50": ("p50_ms",),
    "p90": ("p90_ms",),
    "p95": ("p95_ms",),
    "p99": ("p99_ms",),
    "latencyms": ("p95_ms",),
    "latencyp95": ("p95_ms",),
    "throughput": ("throughput_rps",),
    "rps": ("throughput_rps",),
    "qps": ("throughput_rps",),
    "ttft": ("ttft_p95_ms",),
    "itl": ("itl_p95_ms",),
    "tpot": ("itl_p95_ms",),
    "tokenspersecond": ("tokens_per_s",),
    "memory": ("peak_memory_mb",),
}
"""By the name without separators and capitals: the nearest first."""

_FOR_TEXTS = frozenset(
    "meteor bertscore comet cometkiwi bleurt bartscore moverscore mauve nist gleu cider spice cosine "  # noqa: SIM905 - a list of words
    "cosinesimilarity similarity semanticsimilarity embeddingsimilarity".split()
)
"""Scores of free texts that mlgate does not compute."""
_RECORDED = frozenset(
    "perplexity ppl loss auc rocauc auroc prauc averageprecision map map50 mrr ndcg hitrate mse rmse mae r2 r2score "  # noqa: SIM905 - a list of words
    "logloss brier ece mcc kappa iou dice passk pass1 judge llmjudge faithfulness toxicity hallucination".split()
)
"""Numbers of what an answer does not hold: scores, ranks, probabilities, another model's opinion."""


def advice(name: str, there: Iterable[str]) -> str:
    """Return what to write in place of *name*, which is none of the metrics *there*, and which there are."""
    known = list(there)
    plain = _plain(name)
    same = [one for one in known if _plain(one) == plain]
    elsewhere = _MEANT.get(plain, ())
    meant = same or [one for one in elsewhere if one in known]
    listed = f"there are: {', '.join(known)}"
    if meant:
        return f"did you mean {' or '.join(f'`{one}`' for one in meant)}? {listed}"
    if elsewhere and latency_metrics.metric(elsewhere[0]):
        return f"it is measured by a check of `kind: latency`, as `{elsewhere[0]}`"
    own = "a test of your own can record it, in a check of `kind: recorded`"
    if plain in _FOR_TEXTS and "chrf" in known:
        return f"mlgate does not compute it: write `chrf`, the nearest that there is, or {own}; {listed}"
    if plain in _RECORDED and "chrf" in known:
        return f"mlgate does not compute it: {own}; {listed}"
    return did_you_mean(name, known, "there are")


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name[:_LONGEST_NAME]).lower()
