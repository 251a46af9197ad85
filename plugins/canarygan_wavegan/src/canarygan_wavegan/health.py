"""Troubles of an adversarial training and their names: pure functions of its logged values."""

from collections.abc import Mapping

FLAT_PENALTY, STEEP_PENALTY = 0.9, 10.0
"""Gradient penalties above which the critic's gradient has vanished (norm near 0) or exploded."""

ADVICE = {
    "clipping": "a lower --lr may help",
    "collapse of diversity": "try more --critic-updates, --phase-shuffle or another --seed",
}
"""What may help against the troubles of sounds."""


def check_values(values: Mapping[str, float]) -> list[str]:
    """Name the troubles in the values logged at one update."""
    troubles = []
    penalty = values["critic/gradient_penalty"]
    if penalty > FLAT_PENALTY and values["critic/gradient_norm"] < 1e-6:
        troubles.append("critic saturation: its slope vanished, and the generator learns nothing; lower --lr")
    if penalty > STEEP_PENALTY:
        troubles.append(f"critic saturation: its slope exploded (penalty {penalty:.3g}); lower --lr or raise --penalty")
    return troubles
