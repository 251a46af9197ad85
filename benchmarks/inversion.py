"""Invert sounds that a model made itself, and clips that it was not trained on; and time it.

    python benchmarks/inversion.py RUNS [--own 50] [--alone 10]

RUNS is the folder of a training that held clips out and whose data is there. Own sounds are exactly reachable: the
errors tell what the search misses. Errors of held-out clips above these are what the model cannot make. The speed is
that of batches of 16 sounds beside one sound at a time, by the processor's time, which other programs do not lengthen.
Writes inversion.json and inversion.md into benchmarks/results.
"""

import argparse
import json
import logging
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from canarygan_latents.inversion import judging, listening
from canarygan_latents.inversion.inverting import Inverted, Search, invert
from canarygan_latents.inversion.measuring import Floats, Measure
from canarygan_latents.opening import open_generator

from canarygan_core import Generator
from canarygan_core.fitted import latents


def time_search(
    generator: Generator, sounds: Floats, measure: Measure, search: Search
) -> tuple[Inverted, float, float]:
    """What an inversion finds, and the sounds a minute by the processor's time and by the clock."""
    start, used = time.perf_counter(), time.process_time()
    found = invert(generator, sounds, measure, search)
    took, busy = time.perf_counter() - start, time.process_time() - used
    return found, 60 * len(sounds) / busy, 60 * len(sounds) / took


def describe_own(inverted: Inverted, z: Floats) -> dict[str, float]:
    """How near the latents and the sounds of a model come back."""
    return {
        "sounds": len(z),
        "error": float(np.median(inverted.error)),
        "largest_error": float(inverted.error.max()),
        "random_error": float(np.median(inverted.random_error)),
        "ten_times_below_random": float(np.mean(10 * inverted.error < inverted.random_error)),
        "latent_distance": float(np.median(np.abs(inverted.z - z).max(1))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--own", type=int, default=50)
    parser.add_argument("--alone", type=int, default=10)
    options = parser.parse_args()
    logging.getLogger("canarygan").setLevel(logging.ERROR)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    opened = open_generator(options.runs, "cpu")
    generator, learning = opened.generator, listening.find_learning(opened, None)
    measure = Measure(generator.rate, learning.is_level_free)
    z = latents.draw_for(generator, options.own, seed=99)
    sounds = generator.generate(z)
    result: dict[str, Any] = {"machine": machine.described(), "epoch": generator.progress["epoch"], "own": {}}
    speeds = {}
    for steps in (50, 100, 200):
        found, busy, clock = time_search(generator, sounds, measure, Search(steps=steps))
        result["own"][steps] = describe_own(found, z)
        speeds[steps] = {"sounds": len(sounds), "a_minute": busy, "a_minute_by_the_clock": clock}
        print(json.dumps({steps: [result["own"][steps], speeds[steps]]}), flush=True)
    some = sounds[: options.alone]
    for name, search in {"alone": Search(batch_size=1), "together": Search(batch_size=16)}.items():
        each = [some[row : row + 1] for row in range(len(some))] if name == "alone" else [some]
        start, used = time.perf_counter(), time.process_time()
        for part in each:
            invert(generator, part, measure, replace(search, batch_size=min(search.batch_size, len(part))))
        busy, took = time.process_time() - used, time.perf_counter() - start
        speeds[name] = {
            "sounds": len(some),
            "a_minute": 60 * len(some) / busy,
            "a_minute_by_the_clock": 60 * len(some) / took,
        }
        print(json.dumps({name: speeds[name]}), flush=True)
    clips = listening.collect([], learning)
    found = invert(generator, clips.audio, measure, Search())
    errors = judging.judge(generator, clips, found, learning, measure, Search(), options.alone)
    overall, by_class = judging.summarize(errors, clips.labels)
    result |= {"speed": speeds, "overall": overall, "held_out": by_class}
    result["reachable"] = float(np.median(errors.reachable))
    result["far"] = [label for label, row in result["held_out"].items() if judging.is_far(row)]
    machine.keep("inversion", result, text(result))


def text(result: dict[str, Any]) -> str:
    """Format the result as Markdown."""
    lines = [
        f"# Latents of sounds, by a WaveGAN of epoch {result['epoch']}",
        "",
        "Sounds that the model made itself, by steps of the search. Errors are medians, dB.",
        "",
        "| steps | sounds | error | largest | blind latent | ten times below it | latent off by | sounds a minute |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for steps, row in result["own"].items():
        cells = [
            *(steps, row["sounds"], f"{row['error']:.3f}", f"{row['largest_error']:.2f}", f"{row['random_error']:.2f}"),
            *(f"{row['ten_times_below_random']:.0%}", f"{row['latent_distance']:.4f}"),
            f"{result['speed'][steps]['a_minute']:.0f}",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    alone, together = (result["speed"][name] for name in ("alone", "together"))
    lines += [
        "",
        f"{together['a_minute']:.0f} sounds a minute of the processor's time where {together['sounds']} are searched "
        f"for side by side, {alone['a_minute']:.0f} where each is searched for alone, in 200 steps. By the clock, with "
        f"other programs running: {together['a_minute_by_the_clock']:.0f} and {alone['a_minute_by_the_clock']:.0f}.",
        "",
        "Clips that the model was not trained on, in 200 steps. Errors are medians, dB. The way is from a blind "
        "latent, 0 %, to sounds of the model itself, 100 %.",
        "",
        "| class | clips | error | noise | nearest training clip | blind latent | way |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for label, row in [("all", result["overall"]), *result["held_out"].items()]:
        values = (row[name] for name in ("error", "noise_floor", "nearest_error", "random_error"))
        cells = [label, row["sounds"], *(f"{value:.2f}" for value in values), f"{row['way']:.0%}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", machine.line(result["machine"]), ""])


if __name__ == "__main__":
    main()
