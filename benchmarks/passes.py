"""Measure the ways to compute each pass of a convolution, layer by layer, to find the fastest for each size.

    python benchmarks/passes.py [--dims 16 64] [--batches 16 48] [--samples 16384] [--name passes]

Batches of 16 are those of the generator. Batches of 48 are those of the critic: real, generated and interpolated sounds
together. Operations are counted on paper, for the 25 taps of a kernel. Writes NAME.json and NAME.md into
benchmarks/results.
"""

import argparse
from itertools import pairwise

import machine
import torch
from canarygan_wavegan.fast import kernels
from canarygan_wavegan.model import KERNEL, Shape
from machine import best
from torch import Tensor

from canarygan_core.cli.memory import keep_freed

CORES = 2
WAYS = {"strided": kernels.Strided, "blocks": kernels.Blocks, "windows": kernels.Windows}


def rates(x: Tensor, weight: Tensor, output: Tensor, stride: int) -> dict[str, dict[str, float]]:
    """Measure giga operations a second, by pass and way; `picked` is the way that trainings use."""
    work = 2 * output.numel() * weight.shape[1] * KERNEL / 1e9
    found: dict[str, dict[str, float]] = {"forward": {}, "grad_input": {}, "grad_weight": {}}
    for name, way in {**WAYS, "picked": kernels}.items():
        found["forward"][name] = work / best(lambda way=way: way.forward(x, weight, stride), 5)
        found["grad_input"][name] = work / best(lambda way=way: way.grad_input(output, weight, stride), 5)
        if way is not kernels.Strided:
            found["grad_weight"][name] = work / best(lambda way=way: way.grad_weight(output, x, stride), 5)
    return found


def layers(dim: int, batch: int, samples: int, dtype: torch.dtype) -> list[dict]:
    """Measure the rates in each layer of the critic, from the waveform on."""
    shape, length, rows = Shape(dim=dim, samples=samples), samples, []
    for (inp, out), stride in zip(pairwise(shape.channels[::-1]), shape.strides, strict=True):
        x = torch.randn(batch, length, inp).to(dtype)
        weight = torch.randn(out, KERNEL, inp).to(dtype).transpose(1, 2)
        length //= stride
        output = torch.randn(batch, length, out).to(dtype)
        row = {"dim": dim, "batch": batch, "arithmetic": str(dtype).removeprefix("torch."), "in": inp, "out": out}
        row |= {"blocks": length, "weight_mib": weight.nbytes / 2**20}
        rows.append(row | {"rates": rates(x, weight, output, stride)})
    return rows


def told_apart(way: str, rate: float) -> str:
    """Format a rate, in bold if trainings use this way."""
    return f"**{rate:.0f}**" if way == "picked" else f"{rate:.0f}"


def text(rows: list[dict], told: dict[str, object]) -> str:
    """Format the result as Markdown."""
    lines = [
        "# Ways of a convolution's passes, giga operations a second",
        "",
        f"{CORES} cores. In bold what trainings do, which is one of the ways. "
        "`grad_weight` has no strided way: the library's is slower.",
        "",
        "| d | batch | arithmetic | in | out | blocks | weight, MiB "
        + "".join(f"| {name}: {', '.join(rows[0]['rates'][name])} " for name in rows[0]["rates"])
        + "|",
        "|" + " ---: |" * 10,
    ]
    for row in rows:
        cells = [row[name] for name in ("dim", "batch", "arithmetic", "in", "out", "blocks")]
        cells.append(f"{row['weight_mib']:.2f}")
        cells += [", ".join(told_apart(name, rate) for name, rate in ways.items()) for ways in row["rates"].values()]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", machine.line(told), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 48])
    parser.add_argument("--samples", type=int, default=16384)
    parser.add_argument("--name", default="passes")
    options = parser.parse_args()
    torch.set_num_threads(CORES)
    keep_freed()
    told = machine.described()
    rows = [
        row
        for dtype in (torch.float32, torch.bfloat16)
        for dim in options.dims
        for batch in options.batches
        for row in layers(dim, batch, options.samples, dtype)
    ]
    machine.keep(options.name, {"machine": told, "layers": rows}, text(rows, told))


if __name__ == "__main__":
    main()
