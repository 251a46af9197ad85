"""Latents refined without gradients, for models that do not give their network: an evolution strategy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from canarygan_core import Generator
from canarygan_latents.inversion.measuring import Floats, Measure

OFFSPRING, SPREAD, LAST_SPREAD = 8, 0.1, 0.002
"""Latents that are tried for a sound in a step; their spread at the start and the end, shares of the box's width."""


@dataclass(frozen=True)
class Evolution:
    """A (1 + 8) evolution strategy (Rechenberg, 1973): neighbours of the best one, ever nearer ones, on the error.

    Attributes:
        generator: makes the sounds.
        measure: of the error.
        low: least value of each coordinate (d,).
        high: greatest value (d,).
        steps: of the search.
        seed: of the neighbours; those of each sound are drawn alike.
    """

    generator: Generator
    measure: Measure
    low: Floats
    high: Floats
    steps: int
    seed: int

    def refine(self, sounds: Floats, starts: Floats, advance: Callable[[float], None]) -> Floats:
        """The best latents (n, d) that are found for sounds (n, samples) from starts (n, k, d), k at least 1."""
        rng = np.random.default_rng(self.seed)
        levels = self.measure.compute_levels(sounds)
        best, least = starts[:, 0], np.full(len(sounds), np.inf, np.float32)
        for step in range(self.steps + 1):
            spread = SPREAD * (LAST_SPREAD / SPREAD) ** (step / max(self.steps, 1)) * (self.high - self.low)
            moves = rng.standard_normal((OFFSPRING, best.shape[1]), np.float32) * spread
            tried = starts if step == 0 else np.clip(best[:, None] + moves, self.low, self.high)  # (n, k, d)
            errors = self._compute_errors(levels, tried)  # (n, k)
            rows, choice = np.arange(len(sounds)), errors.argmin(1)
            is_better = errors[rows, choice] < least
            best = np.where(is_better[:, None], tried[rows, choice], best)
            least = np.where(is_better, errors[rows, choice], least)
            if step:
                advance(1 / self.steps)
        return np.asarray(best, np.float32)

    def _compute_errors(self, levels: Floats, z: Floats) -> Floats:
        made = self.generator.generate(np.ascontiguousarray(z.reshape(-1, z.shape[-1]), np.float32))
        heard = self.measure.compute_levels(made).reshape(*z.shape[:2], -1)
        return np.asarray(np.abs(heard - levels[:, None]).mean(2), np.float32)
