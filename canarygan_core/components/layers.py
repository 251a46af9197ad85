"""A generator's `layers()`, computed: what programs in other languages have to do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def compute_layers(layers: Sequence[Mapping[str, Any]], z: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """What the `layers` of a generator make of latents (n, d): sounds (n, samples), by numpy alone.

    Raises:
        ValueError: on a kind of layer that `Generator` does not name.
    """
    import numpy as np

    h = z
    for layer in layers:
        kind = layer["kind"]
        if kind == "linear":
            h = h.reshape(len(z), -1) @ layer["weight"].T + layer["bias"]
        elif kind == "transposed-convolution":
            h = _convolve_transposed(h.reshape(len(z), len(layer["weight"]), -1), layer)
        elif kind == "scale":
            h = h.reshape(len(z), len(layer["weight"]), -1) * layer["weight"][:, None] + layer["bias"][:, None]
        elif kind in ("relu", "tanh"):
            h = np.maximum(h, 0) if kind == "relu" else np.tanh(h)
        elif kind == "bfloat16":
            bits = h.view(np.uint32)
            h = ((bits + (0x7FFF + (bits >> 16 & 1))) & 0xFFFF0000).astype(np.uint32).view(np.float32)
        else:
            raise ValueError(f"A generator has a layer of a kind that is not known: {kind!r}.")
    return h.reshape(len(z), -1)


def _convolve_transposed(x: "NDArray[np.float32]", layer: Mapping[str, Any]) -> "NDArray[np.float32]":
    """A transposed convolution of signals (n, in, length): (n, out, length * stride)."""
    import numpy as np

    weight, stride, padding = layer["weight"], layer["stride"], layer["padding"]
    kernel, length = weight.shape[2], x.shape[2]
    room = max(padding + length * stride, (length - 1) * stride + kernel)
    out = np.zeros((len(x), weight.shape[1], room), np.float32)
    for k in range(kernel):
        out[:, :, k : k + (length - 1) * stride + 1 : stride] += np.einsum("nil,io->nol", x, weight[:, :, k])
    sounds: NDArray[np.float32] = out[:, :, padding : padding + length * stride] + layer["bias"][:, None]
    return sounds
