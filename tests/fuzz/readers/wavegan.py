"""Readers of checkpoints."""

from pathlib import Path

import numpy as np

from fuzz import mutations
from fuzz.readers.reader import RATE, Reader


def list_wavegan_readers() -> list[Reader]:
    def make(folder: Path) -> None:
        import torch
        from canarygan_wavegan.model import Generator, Shape

        shape = Shape(latent_dim=2, dim=1, samples=4096)
        record = {"schema": 1, "shape": vars(shape), "rate": RATE, "average": False, "per_epoch": 5}
        weights = {f"generator.{name}": part for name, part in Generator(shape).state_dict().items()}
        torch.save({"updates": 12, "wavegan": record, "state_dict": weights, "epoch": 2}, folder / "a.ckpt")

    def make_original(folder: Path) -> None:
        import torch

        sizes = [16, 8, 4, 2, 1, 1]
        weights = {
            "generator.linear_block.0.weight": torch.randn(256, 2),
            "generator.linear_block.0.bias": torch.randn(256),
        }
        for level in range(5):
            name = f"generator.deconvnet.{2 * level}.block"
            weights |= {
                f"{name}.weight": torch.randn(sizes[level], sizes[level + 1], 25),
                f"{name}.bias": torch.randn(sizes[level + 1]),
            }
        hyper = {"slice_len": 16384}
        torch.save({"state_dict": weights, "epoch": 3, "global_step": 9, "hyper_parameters": hyper}, folder / "a.ckpt")

    def read(folder: Path) -> None:
        from canarygan_wavegan.checkpoints import load

        generator = load(folder / "a.ckpt")
        if generator.samples * generator.latent_dim < 1 << 20:
            generator.generate(np.zeros((1, generator.latent_dim), np.float32))

    change = mutations.mutate_checkpoint
    return [
        Reader("checkpoint", "a.ckpt", make, change, read),
        Reader("checkpoint of the original", "a.ckpt", make_original, change, read),
    ]
