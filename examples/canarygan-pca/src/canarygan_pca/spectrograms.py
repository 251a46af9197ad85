"""Levels of spectrograms, and sounds that have them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WINDOW, HOP = 512, 128
"""Samples of a frame, and from one to the next."""

FLOOR = 1e-3
"""Magnitude that counts as none."""

HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def transform(sounds: Floats) -> NDArray[np.complex64]:
    """Spectrograms (n, frames, bins) of sounds (n, samples), the first frame centred on the first sample."""
    filled = np.pad(sounds, ((0, 0), (WINDOW // 2, WINDOW // 2 + -sounds.shape[1] % HOP)))
    frames = np.lib.stride_tricks.sliding_window_view(filled, WINDOW, axis=1)[:, ::HOP]
    return np.fft.rfft(frames * HANN, axis=2).astype(np.complex64)


def inverse(spectra: NDArray[np.complex64], samples: int) -> Floats:
    """The sounds (n, samples) whose spectrograms come nearest to these (n, frames, bins) (Griffin & Lim, 1984)."""
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
    """Decimal logarithms of the magnitudes (n, frames, bins) of sounds (n, samples), from that of `FLOOR`."""
    parts = [np.abs(transform(sounds[start : start + 64])) for start in range(0, len(sounds), 64)]
    made: Floats = np.log10(np.maximum(np.concatenate(parts), FLOOR))
    return made


def sounds(levels: Floats, samples: int, *, iterations: int) -> Floats:
    """Sounds (n, samples), within full scale, of levels (n, frames, bins); equal levels give equal sounds.

    Phases start from the same random ones and are made consistent in rounds, each taking those of the sound found
    before (Griffin & Lim, 1984) and going on in the direction of the last change (Perraudin et al., 2013).
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
