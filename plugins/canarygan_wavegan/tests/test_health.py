"""What goes wrong in an adversarial training is named."""

from canarygan_wavegan import health

GOOD = {
    "critic/gradient_penalty": 0.02,
    "critic/gradient_norm": 3.0,
    "generator/loss": 0.1,
}


def kinds(troubles: list[str]) -> list[str]:
    return [text.partition(":")[0] for text in troubles]


def test_troubles_in_values_are_named() -> None:
    assert health.check_values(GOOD) == []
    vanished = GOOD | {"critic/gradient_penalty": 1.0, "critic/gradient_norm": 0.0}
    assert kinds(health.check_values(vanished)) == ["critic saturation"]
    assert kinds(health.check_values(GOOD | {"critic/gradient_penalty": 300.0})) == ["critic saturation"]
