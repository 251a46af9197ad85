"""From sounds to levels of spectrograms, and back."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WINDOW, HOP = 512, 128
"""Length of a frame, and distance from one frame to the next, samples."""

FLOOR = 1e-3
"""Magnitude that counts as zero."""

HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def transform(sounds: Floats) -> NDArray[np.complex64]:
    """Compute spectrograms (n, frames, bins) of sounds (n, samples). The first frame is centred on the first sample."""
    filled = np.pad(sounds, ((0, 0), (WINDOW // 2, WINDOW // 2 + -sounds.shape[1] % HOP)))
    frames = np.lib.stride_tricks.sliding_window_view(filled, WINDOW, axis=1)[:, ::HOP]
    return np.fft.rfft(frames * HANN, axis=2).astype(np.complex64)


def inverse(spectra: NDArray[np.complex64], samples: int) -> Floats:
    """Find the sounds (n, samples) with the nearest spectrograms to these (n, frames, bins) (Griffin & Lim, 1984)."""
    parts = np.fft.irfft(spectra, axis=2).astype(np.float32) * HANN
    made = np.zeros((len(spectra), (spectra.shape[1] - 1) * HOP + WINDOW), np.float32)
    weight = np.zeros(made.shape[1], np.float32)
    for frame in range(spectra.shape[1]):
        place = slice(frame * HOP, frame * HOP + WINDOW)
        made[:, place] += parts[:, frame]
        weight[place] += HANN**2
    made /= np.maximum(weight, 1e-6)
    cut: Floats = made[:, WINDOW // 2 : WINDOW // 2 + samples]
    return cut


def levels(sounds: Floats) -> Floats:
    """Decimal logarithms of the magnitudes (n, frames, bins) of sounds (n, samples), at least that of `FLOOR`."""
    parts = [np.abs(transform(sounds[start : start + 64])) for start in range(0, len(sounds), 64)]
    made: Floats = np.log10(np.maximum(np.concatenate(parts), FLOOR))
    return made


def sounds(levels: Floats, samples: int, *, iterations: int) -> Floats:
    """Make sounds (n, samples) within full scale from levels (n, frames, bins). Equal levels give equal sounds.

    The phases start from fixed random values. Each round takes the phases of the last sound (Griffin & Lim, 1984) and
    moves them further in the direction of their last change (Perraudin et al., 2013).
    """
    magnitudes = 10**levels
    magnitudes[magnitudes < 2 * FLOOR] = 0
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, levels.shape[1:])
    phases = np.broadcast_to(np.exp(1j * angles).astype(np.complex64), levels.shape)
    before: NDArray[np.complex64] | None = None
    for _ in range(iterations):
        found = transform(inverse(magnitudes * phases, samples))
        ahead = found if before is None else found + 0.99 * (found - before)
        phases, before = ahead / np.maximum(np.abs(ahead), 1e-12), found
    made = inverse(magnitudes * phases, samples)
    peaks = np.abs(made).max(1, keepdims=True, initial=0)
    scaled: Floats = made / np.maximum(peaks, 1)
    return scaled
