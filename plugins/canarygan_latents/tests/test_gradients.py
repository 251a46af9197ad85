"""The loss that the search goes down."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from canarygan_latents.inversion.gradients import Descent, Loss  # noqa: E402
from canarygan_latents.inversion.measuring import Measure  # noqa: E402


def tone(pitch: float, samples: int = 4096) -> "torch.Tensor":
    return torch.sin(2 * np.pi * pitch * torch.arange(samples) / 16000)[None] * 0.5


def test_a_sound_is_like_itself_at_any_level() -> None:
    sounds = torch.cat([tone(500), tone(3000)])
    assert Loss.of(sounds, True)(sounds * 3).max() < 1e-3
    assert Loss.of(sounds, False)(sounds).max() < 1e-6
    assert Loss.of(sounds, False)(sounds * 3).min() > 1


def test_the_farther_the_pitch_the_greater_the_loss() -> None:
    loss = Loss.of(tone(1000).repeat(4, 1), True)
    losses = loss(torch.cat([tone(pitch) for pitch in (1000, 1010, 1100, 4000)]))
    assert losses.diff().min() > 0


def test_what_is_inaudibly_faint_does_not_count() -> None:
    faint = 1e-6 * torch.randn(1, 4096, generator=torch.Generator().manual_seed(0))
    assert Loss.of(tone(1000), True)(tone(1000) + faint)[0] < 0.01


def test_the_loss_of_one_size_is_the_formula_of_yamamoto() -> None:
    one, other = (torch.randn(1, 64, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    window = torch.hann_window(64)
    spectra = [torch.stft(x, 64, 16, window=window, pad_mode="constant", return_complex=True) for x in (one, other)]
    wanted, made = (spectrum.abs() for spectrum in spectra)
    convergence = torch.linalg.norm(made - wanted) / torch.linalg.norm(wanted)
    logs = (made.log() - wanted.log()).abs().mean()
    torch.testing.assert_close(Loss.of(one, False)(other)[0], convergence + logs, rtol=1e-2, atol=0.0)


class Tone(torch.nn.Module):
    """A network without parameters: the level of a tone."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("time", torch.arange(4096) * 0.5)

    def forward(self, z: "torch.Tensor") -> "torch.Tensor":
        return (1 + z) / 2 * torch.sin(self.time)


def test_a_network_needs_no_parameters() -> None:
    wanted = Tone()(torch.tensor([[0.5]])).numpy()
    low, high = np.float32([-1]), np.float32([1])
    descent = Descent(Tone(), Measure(16000, False), low, high, 40)
    found = descent.refine(wanted, np.float32([[[0.3]]]), lambda share: None)
    assert found[0, 0] == pytest.approx(0.5, abs=0.01)


def test_a_silent_sound_has_a_gradient_that_is_finite() -> None:
    made = torch.zeros(1, 4096, requires_grad=True)
    Loss.of(tone(1000), True)(made).sum().backward()
    assert made.grad is not None
    assert torch.isfinite(made.grad).all()
