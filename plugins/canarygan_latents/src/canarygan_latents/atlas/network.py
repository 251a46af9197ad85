"""The generator in the page: its layers as text, or where it has none, sounds of coarser grids."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from canarygan_report import sounds
from numpy.typing import NDArray

from canarygan_core.audio import find_extent
from canarygan_core.components import Generator, compute_layers
from canarygan_core.fitted import generators
from canarygan_latents.atlas.views import View

PARITY = 1e-3
"""How far sounds of the page may lie from those of `generate`, of full scale."""

FLIPPED = 0.05
"""The same for the few where a number is rounded to the other side in bfloat16, which later layers make larger."""

BYTES = 12_500_000
"""Bytes that the weights, or else the sounds, may take in the page."""

OPERATIONS = 1.0e9
"""Multiplications a sound above which a browser takes longer than two seconds."""

TRIED = 8
"""Latents by which the layers are compared with `generate`."""

Json = dict[str, Any]


def describe_network(
    generator: Generator, low: NDArray[np.float32], high: NDArray[np.float32]
) -> tuple[Json | None, str]:
    """The layers of a generator for the page, and how they are kept; None and the reason where they cannot be.

    Weights are float32 where there is room, and else 16-bit integers with a scale for each array, where that gives
    sounds within `PARITY` of `generate`. Where layers round to bfloat16, that need hold for most sounds alone: the
    others lie about as far apart as those of `generate` in batches of two sizes.

    Args:
        generator: it may have `layers`.
        low: the least of each coordinate of the box (d,).
        high: the greatest of each (d,).
    """
    layers = generator.layers() if hasattr(generator, "layers") else None
    if layers is None:
        return None, "the model does not describe its layers"
    numbers = sum(layer[part].size for layer in layers for part in ("weight", "bias") if part in layer)
    operations = count_operations(layers)
    if operations > OPERATIONS:
        return None, f"its {operations / 1e6:.0f} million multiplications a sound are too many for a browser"
    weights = "float32" if 16 * numbers / 3 <= BYTES else "int16"
    if 8 * numbers / 3 > BYTES:
        return None, f"its {numbers / 1e6:.0f} million weights are too many for a page"
    kept = [{key: _encode(value, weights) for key, value in layer.items()} for layer in layers]
    z = np.random.default_rng(0).uniform(low, high, (TRIED, len(low))).astype(np.float32)
    read = [{key: _decode(value, weights) for key, value in layer.items()} for layer in kept]
    each = np.abs(compute_layers(read, z) - generator.generate(z)).max(1)
    apart, is_rounded = float(each.max()), any(layer["kind"] == "bfloat16" for layer in layers)
    if not (apart < PARITY or (is_rounded and np.median(each) < PARITY and apart < FLIPPED)):
        return None, f"its layers in {weights} make sounds {apart:.2g} from those of generate"
    return {"weights": weights, "layers": kept, "parity": apart, "operations": operations}, ""


def count_operations(layers: Sequence[Json]) -> float:
    """Multiplications for one sound."""
    total, size = 0.0, 0
    for layer in layers:
        if layer["kind"] == "linear":
            total, size = total + layer["weight"].size, len(layer["bias"])
        elif layer["kind"] == "transposed-convolution":
            length = size // len(layer["weight"])
            total, size = total + layer["weight"].size * length, len(layer["bias"]) * length * layer["stride"]
        elif layer["kind"] == "scale":
            total += size
    return total


def _encode(value: Any, weights: str) -> Any:
    """An array as base64 of its numbers over `scale`; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    most = float(np.abs(value).max(initial=0.0))
    scale = most / 32767 if weights == "int16" and most > 0 else 1.0
    numbers = np.round(value / scale).astype("<i2") if weights == "int16" else value.astype("<f4")
    return {"shape": list(value.shape), "scale": scale, "data": base64.b64encode(numbers.tobytes()).decode()}


def _decode(value: Any, weights: str) -> Any:
    """What `_encode` was given, as the page reads it."""
    if not isinstance(value, dict):
        return value
    numbers = np.frombuffer(base64.b64decode(value["data"]), "<i2" if weights == "int16" else "<f4")
    return np.asarray(numbers * value["scale"], np.float32).reshape(value["shape"])


def gather_sounds(generator: Generator, views: Sequence[View], batch_size: int) -> list[Json]:
    """By view, sounds of a coarser grid: 8-bit mu-law up to the end of what sounds, in base64."""
    budget = BYTES * 3 / 4
    shares = [1.0] if len(views) == 1 else [2 / 3, *[1 / 3 / (len(views) - 1)] * (len(views) - 1)]
    return [
        _gather(generator, view, round(budget * share), batch_size) for view, share in zip(views, shares, strict=True)
    ]


def _gather(generator: Generator, view: View, budget: int, batch_size: int) -> Json:
    side = view.side
    while side > 2 and side ** len(view.axes) * generator.samples > budget:
        side -= 1
    kept = []
    for made in generators.generate_sounds(generator, view.coarsened(side).latents(), batch_size):
        _, ends = find_extent(made, generator.rate, below=sounds.QUIET, background=None)
        kept += [sounds.encoded(sounds.mu_law(sound[:end])) for sound, end in zip(made, ends, strict=True)]
    return {"side": side, "audio": kept}
