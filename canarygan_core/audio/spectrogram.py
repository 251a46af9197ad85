"""A spectrogram to look at. What a model or a decoder computes on is its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def compute_spectrogram(
    audio: NDArray[np.floating[Any]],
    rate: int,
    *,
    window: float = 0.016,
    hop: float = 0.004,
    floor: float = 60.0,
    reference: float | None = None,
) -> NDArray[np.float32]:
    """Power of clips over frequency and time, in dB below each clip's loudest cell.

    Args:
        audio: clips (n, samples); what is not finite counts as silence.
        rate: sampling rate, Hz; with 1, `window` and `hop` are in samples.
        window: length of the Hann window, seconds.
        hop: from one frame to the next, seconds. The first frame is centred on the first sample.
        floor: levels further down are raised to this far below 0 dB, dB.
        reference: amplitude of the sine that has 0 dB, such as 1 for full scale; None is each clip's loudest cell.

    Returns:
        (n, bins, frames), dB. The bins lie evenly from 0 Hz to half the rate, one more than half the samples of a
        window, whose number is even. A silent clip is at the floor everywhere.
    """
    size, step = 2 * max(2, round(window * rate / 2)), max(1, round(hop * rate))
    hann = np.hanning(size)
    sound = np.nan_to_num(audio, posinf=0.0, neginf=0.0)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, ((0, 0), (size // 2, size // 2))), size, axis=1)
    levels = np.empty((len(audio), size // 2 + 1, 1 + audio.shape[1] // step), np.float32)
    for clip, level in zip(frames[:, ::step], levels, strict=True):  # one at a time, which bounds memory
        power = np.square(np.abs(np.fft.rfft(clip * (2 / hann.sum() * hann))))
        loudest = power.max() if reference is None else reference**2
        level[:] = 10 * np.log10(np.maximum(power.T / max(loudest, 1e-30), 10 ** (-floor / 10)))
    return levels
