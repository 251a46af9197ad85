"""What an atlas finds: curves along coordinates, and the shares of classes beside those of real clips."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from canarygan_latents.atlas import content, judging, measures, relations, views
from canarygan_latents.atlas.content import Sizes
from canarygan_latents.opening import Opened

from canarygan_core.clips import Clips
from canarygan_core.fitted.decoders import TrainedDecoder

RATE = 16000


@pytest.mark.parametrize(("dim", "side"), [(1, 20), (2, 4), (2, 12)])
def test_curves_go_through_each_place_of_a_small_grid(dim: int, side: int) -> None:
    box = -np.ones(dim, np.float32), np.ones(dim, np.float32)
    view = views.View(tuple(range(dim)), side, *box, np.zeros(dim, np.float32))
    z = view.latents()
    values = 1000 + 500 * z[:, 0] + (z[:, -1] if dim > 1 else 0)
    told = relations.relate(z, dict.fromkeys(measures.UNITS, values), (0,))[0]
    assert [row["x"] for row in told["curve"]] == pytest.approx(view.ticks(0).tolist())
    assert [row["y"] for row in told["curve"]] == pytest.approx(1000 + 500 * view.ticks(0), abs=1)
    assert told["information"] > 1
    values[z[:, 0] > 0] = np.nan
    told = relations.relate(z, dict.fromkeys(measures.UNITS, values), (0,))[0]
    assert max(row["x"] for row in told["curve"]) < 0


class Sign:
    """Calls sounds by the sign of their sum, and is unsure where that is small."""

    classes = ("down", "up")

    def posteriors(self, clips: Clips) -> np.ndarray:
        up = np.clip(0.5 + clips.audio.sum(1) / 8, 0, 1)
        return np.stack([1 - up, up], 1).astype(np.float32)


def test_shares_of_real_clips_are_by_their_labels_and_by_the_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"rate": RATE, "seconds": 4 / RATE}
    trained = [TrainedDecoder("sign", Sign(), Sign.classes, 0.6, (), Path("nowhere"), record)]  # type: ignore[arg-type]
    audio = np.repeat(np.float32([[1], [1], [-1], [-1], [0.05]]), 4, 1)
    clips = Clips(audio, RATE, labels=np.array(["up", "up", "up", "down", "down"]))
    generator = SimpleNamespace(rate=RATE, samples=4, latent_dim=2, latent_range=(-1.0, 1.0))
    generator.progress = {"epoch": 1, "step": 2}
    generator.generate = lambda z: z.sum(1, keepdims=True).repeat(4, 1)
    opened = Opened(generator, Path("a"), "", "0")  # type: ignore[arg-type]
    shares = content.make_content(opened, trained, Sizes(side=4), clips=clips)["shares"]
    assert shares["classes"] == ["down", "up", "X"]
    assert [(side["name"], side["count"]) for side in shares["sides"]] == [
        *(("latent space", 16), ("real clips", 5), ("real clips as decoded", 5)),
    ]
    assert [side["counts"] for side in shares["sides"][1:]] == [[2, 3, 0], [2, 2, 1]]
    monkeypatch.setattr(judging, "MOST", 3)
    monkeypatch.setattr(judging, "BATCH", 2)
    assert judging.label_clips(trained, clips).tolist() == ["up", "down", "X"]
