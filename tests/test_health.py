"""What goes wrong in a training is named."""

import numpy as np

from canarygan_core.lightning import health

GOOD = {
    "critic/gradient_penalty": 0.02,
    "critic/gradient_norm": 3.0,
    "generator/loss": 0.1,
}


def tones(count: int = 8) -> np.ndarray:
    time = np.arange(4096) / 16000
    return np.stack([0.8 * np.sin(2 * np.pi * 500 * (1 + k) * time) for k in range(count)]).astype(np.float32)


def kinds(troubles: list[str]) -> list[str]:
    return [text.partition(":")[0] for text in troubles]


def test_healthy_sounds_pass() -> None:
    assert health.check_sounds(tones(), health.compute_diversity(tones())) == []
    assert health.find_non_finite(GOOD) == []


def test_troubles_in_sounds_are_named() -> None:
    real = health.compute_diversity(tones())
    noise = np.random.default_rng(0).normal(0, 1e-5, (8, 4096)).astype(np.float32)
    assert "silence" in kinds(health.check_sounds(noise, real))
    assert "clipping" in kinds(health.check_sounds(np.clip(50 * tones(), -1, 1), real))
    assert kinds(health.check_sounds(np.repeat(tones(1), 8, axis=0), real)) == ["collapse of diversity"]
    assert kinds(health.check_sounds(np.full((8, 4096), np.nan, np.float32), real)) == ["NaN"]


def test_diversity_knows_sounds_that_differ() -> None:
    alike = np.repeat(tones(1), 8, axis=0)
    assert health.compute_diversity(alike) < 1e-6 < health.compute_diversity(tones())


def test_values_that_are_no_numbers_are_named() -> None:
    assert health.find_non_finite(GOOD | {"generator/loss": float("nan")}) == ["generator/loss"]
    assert health.find_non_finite(GOOD | {"generator/loss": float("inf")}) == ["generator/loss"]


def test_advice_follows_its_trouble() -> None:
    alike = np.repeat(tones(1), 8, axis=0)
    (told,) = health.check_sounds(alike, 10.0, {"collapse of diversity": "try another seed"})
    assert told.endswith("real ones by 10.0 dB; try another seed")
    assert health.check_sounds(alike, 10.0)[0].endswith("by 10.0 dB")


def test_only_lasting_troubles_are_reported_and_once() -> None:
    troubles = health.TroubleFilter()
    assert troubles.select_lasting(["silence: all"], "sounds") == []
    assert troubles.select_lasting([], "sounds") == []
    assert troubles.select_lasting(["silence: all"], "sounds") == []
    assert troubles.select_lasting(["silence: most"], "sounds") == ["silence: most"]
    assert troubles.select_lasting(["silence: most"], "sounds") == []
    assert troubles.select_lasting(["critic saturation: flat"], "values") == []
