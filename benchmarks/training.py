"""Compare `canarygan train-gan` with a straightforward float32 loop and with the limits of the processor.

    python benchmarks/training.py [--dims 16 32 64] [--batches 16 64 128] [--samples 16384] [--name training]

Ours is the command as users type it, timed by its own log. The straightforward loop is WaveGAN-GP as the papers
describe it, with `Conv1d`, `ConvTranspose1d` and automatic differentiation. Each runs in its own process, one after the
other. A full iteration is five updates of the critic and one of the generator. Operations are counted on paper, in the
same way for both: the taps of each convolution in the 60 passes through a network that an iteration needs at least.
Writes NAME.json and NAME.md into benchmarks/results.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import machine
import numpy as np
import torch
import torch.nn.functional as F
from machine import best
from torch import nn

CORES, CRITIC_UPDATES = 2, 5
PASSES = 11 * CRITIC_UPDATES + 5
"""Passes of a batch: 1 generated, 3 forward, 3 backward, 3 to weights, 1 for the penalty; 5 of the generator."""


class PlainGenerator(nn.Module):
    def __init__(self, dim: int, samples: int) -> None:
        super().__init__()
        depth = {4096: 4, 16384: 5}[samples]
        widths = [dim * 2 ** (depth - 1 - level) for level in range(depth)]
        self.linear = nn.Linear(3, 16 * widths[0])
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(one, other, 25, 4, 11, 1) for one, other in pairwise([*widths, 1])
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = self.linear(z).view(len(z), -1, 16)
        for layer in self.layers:
            h = layer(F.relu(h))
        return torch.tanh(h)


class PlainCritic(nn.Module):
    def __init__(self, dim: int, samples: int) -> None:
        super().__init__()
        depth = {4096: 4, 16384: 5}[samples]
        widths = [1, *(dim * 2**level for level in range(depth))]
        self.layers = nn.ModuleList(nn.Conv1d(one, other, 25, 4, 11) for one, other in pairwise(widths))
        self.linear = nn.Linear(16 * widths[-1], 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            shift = int(torch.randint(-2, 3, ())) if layer is not self.layers[-1] else 0
            if shift:
                length = x.shape[2]
                padded = F.pad(x, (max(shift, 0), max(-shift, 0)), mode="reflect")
                x = padded[..., max(-shift, 0) :][..., :length]
        return self.linear(x.flatten(1))


def plain(dim: int, batch: int, samples: int, times: int, device: str = "cpu") -> dict[str, float]:
    """Measure seconds of an iteration, and sounds a second, of the straightforward loop."""
    torch.set_num_threads(CORES)
    generator, critic = PlainGenerator(dim, samples).to(device), PlainCritic(dim, samples).to(device)
    optimisers = [torch.optim.Adam(one.parameters(), 1e-4, (0.5, 0.9)) for one in (critic, generator)]
    clips = torch.rand(64, 1, samples, device=device) * 2 - 1

    def latents(count: int) -> torch.Tensor:
        return torch.rand(count, 3, device=device) * 2 - 1

    def iteration() -> None:
        for _ in range(CRITIC_UPDATES):
            real = clips[torch.randint(0, 64, (batch,), device=device)]
            fake = generator(latents(batch)).detach()
            between = torch.lerp(real, fake, torch.rand(batch, 1, 1, device=device)).requires_grad_()
            (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
            loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
            optimisers[0].zero_grad()
            loss.backward()
            optimisers[0].step()
        loss = -critic(generator(latents(batch))).mean()
        optimisers[1].zero_grad()
        loss.backward()
        optimisers[1].step()
        if device != "cpu":
            torch.cuda.synchronize()

    def generated() -> None:
        with torch.no_grad():
            generator(latents(100)).cpu().numpy()

    if times > 1:
        iteration()  # warms up, which is little beside an iteration that takes minutes
    took = best(iteration, times)
    generated()
    return {"iteration_s": took, "generated_per_s": 100 / best(generated, times)}


def updates(batch: int) -> int:
    """Number of generator updates; the first is a warm-up."""
    return {16: 5, 64: 3}.get(batch, 2)


def ours(dim: int, batch: int, samples: int, precision: str, keep: Path | None = None) -> dict[str, float]:
    """Measure the same of `canarygan train-gan` by its log, and its peak memory; the run stays in `keep`."""
    clips = 16 * max(20, -(-CRITIC_UPDATES * batch // 16))
    per_epoch = max(1, round(clips / (CRITIC_UPDATES * batch)))
    with tempfile.TemporaryDirectory() as folder:
        save = keep or Path(folder)
        words = ["--dim", dim, "--batch-size", batch, "--slice-len", samples, "--per-class", clips // 16]
        words += ["--critic-updates", CRITIC_UPDATES, "--max-epochs", -(-updates(batch) // per_epoch)]
        words += ["--precision", precision]
        words += ["--save-every-n-epochs", 1000, "--log-every-n-steps", 1, "--accelerator", "cpu", "-s", save, "-q"]
        command = [sys.executable, "-m", "canarygan", "train-gan", *map(str, words)]
        child = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": str(CORES)})
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0, command
        with open(save / "logs" / "csv" / "version_0" / "metrics.csv", encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))[1:]  # the first update warms up
    return {
        "iteration_s": 1 / max(float(row["speed/updates_per_second"]) for row in rows),
        "data_wait_share": float(np.mean([float(row["speed/data_wait_share"]) for row in rows])),
        "peak_gb": used.ru_maxrss / 2**20,
    }


def generating(run: Path, sounds: int = 400) -> dict[str, float]:
    """Measure clips a second of a trained generator in batches of 100, as in `canarygan generate`."""
    script = f"""
import sys, time, json
from pathlib import Path
import numpy as np
from canarygan_core import runs
from canarygan_core.cli.memory import keep_freed
from canarygan_core.fitted import generators
from canarygan_core.plugins import get_registry
keep_freed()
checkpoint = runs.find_checkpoint(Path({str(run)!r}))
generator, _ = generators.load(checkpoint, get_registry(), model=None, device="cpu")
z = np.random.default_rng(0).uniform(-1, 1, ({sounds}, 3)).astype(np.float32)
generator.generate(z[:100])
took = []
for start in range(0, len(z), 100):
    began = time.perf_counter()
    generator.generate(z[start:start + 100])
    took.append(time.perf_counter() - began)
print(json.dumps({{"generated_per_s": 100 / min(took)}}))
"""
    return told_by(["-c", script])


def told_by(words: list[str]) -> dict[str, float]:
    """Run Python and return the JSON on the last line of its output."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(CORES)}
    done = subprocess.run([sys.executable, *words], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def limits() -> dict[str, float]:
    """Measure giga operations a second of a matrix product and of the library's convolution, by precision."""
    torch.set_num_threads(CORES)
    found = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        one, other = torch.randn(2, 2048, 2048).to(dtype).unbind()
        found[f"matrix_{name}"] = 2 * 2048**3 / best(lambda one=one, other=other: one @ other, 5) / 1e9
        image = torch.randn(48, 512, 1, 256).to(dtype).contiguous(memory_format=torch.channels_last)
        kernel = torch.randn(256, 512, 1, 7).to(dtype)
        work = 2 * 48 * 256 * 512 * 256 * 7
        took = best(lambda image=image, kernel=kernel: F.conv2d(image, kernel, padding=(0, 3)), 5)
        found[f"convolution_{name}"] = work / took / 1e9
    return found


def operations(dim: int, samples: int) -> float:
    """Count operations of one sound's pass through a network."""
    from canarygan_wavegan import model

    return model.count_operations(model.Shape(dim=dim, samples=samples))


def cell(dim: int, batch: int, samples: int, generate: bool) -> dict[str, object]:
    """Measure one size: both loops, one after the other, ours in both precisions."""
    work = PASSES * batch * operations(dim, samples)
    straightforward = told_by([__file__, "--plain", str(dim), str(batch), str(samples), "1" if batch > 16 else "2"])
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            name: ours(dim, batch, samples, precision, Path(folder) / name)
            for name, precision in (("bfloat16", "bf16"), ("float32", "32"))
        }
        made = generating(Path(folder) / "bfloat16" / "checkpoints" / "version_0") if generate else {}
    record: dict[str, object] = {"dim": dim, "batch": batch, "samples": samples, "operations": work}
    record["operations_a_sound"] = operations(dim, samples)
    record |= {"plain": straightforward, "ours": runs, "generating": made}
    print(json.dumps(record), flush=True)
    return record


def text(result: dict, told: dict[str, object]) -> str:
    """Format the result as Markdown."""
    limit, rows = result["limits"], []
    for one in result["cells"]:
        took, work = one["plain"]["iteration_s"], one["operations"]
        row = [f"{one['dim']} | {one['batch']} | {took:.3g} | {work / took / 1e9:.0f}"]
        for name in ("float32", "bfloat16"):
            mine = one["ours"][name]["iteration_s"]
            rate = work / mine / 1e9
            row += [f"{mine:.3g} | {rate:.0f} | {rate / limit[f'convolution_{name}']:.0%} | **{took / mine:.2f}**"]
        row += [f"{one['ours']['bfloat16']['data_wait_share']:.2%} | {one['ours']['bfloat16']['peak_gb']:.2f}"]
        rows.append(f"| {' | '.join(row)} |")
    heads = "time, s | Gop/s | of the convolution's | ratio"
    lines = [
        f"# Training: a full iteration of {CRITIC_UPDATES} critic updates and one generator update",
        "",
        f"{result['cells'][0]['samples']} samples, {CORES} cores, preset of the paper but for the size. "
        "Ours is the command `canarygan train-gan`, its log and its reading of clips included.",
        "",
        "Measured alone, giga operations a second: "
        + ", ".join(f"{name.replace('_', ' in ')} {value:.0f}" for name, value in limit.items())
        + ".",
        "",
        f"| d | batch | straightforward, float32: time, s | Gop/s | ours, float32: {heads} | ours, bfloat16: {heads} "
        "| waiting for clips | peak memory, GB |",
        "|" + " ---: |" * 14,
        *rows,
        "",
    ]
    for one in result["cells"]:
        if one["generating"]:
            theirs, mine = one["plain"]["generated_per_s"], one["generating"]["generated_per_s"]
            lines += [
                f"Generation, d = {one['dim']}, batches of 100: {theirs:.1f} clips/s straightforward, {mine:.1f} ours: "
                f"**{mine / theirs:.2f}** times.",
                "",
            ]
    return "\n".join([*lines, machine.line(told), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 64, 128])
    parser.add_argument("--samples", type=int, default=16384)
    parser.add_argument("--name", default="training")
    parser.add_argument("--plain", type=int, nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        print(json.dumps(plain(*options.plain)))
        return
    told, began = machine.described(), time.perf_counter()
    result: dict[str, object] = {"machine": told, "limits": limits()}
    sizes = [(dim, batch) for dim in options.dims for batch in options.batches]
    result["cells"] = [cell(dim, batch, options.samples, batch == options.batches[0]) for dim, batch in sizes]
    result |= {"took_s": time.perf_counter() - began, "load_after": os.getloadavg()[0]}
    machine.keep(options.name, result, text(result, told))


if __name__ == "__main__":
    main()
