"""A generator as an ONNX graph, for programs that know neither torch nor this system."""

import importlib.util
import logging
import shlex
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_latents.opening import Opened, find_box, find_network

NEEDED = ("torch>=2.6,<2.15", "onnx>=1.20,<2", "onnxscript>=0.7,<0.8")
"""What the export requires: the extra `onnx` of this distribution."""


def check_installed() -> None:
    """Raise `CanaryganError`, saying what to install, where the export cannot be had."""
    absent = [text for text in NEEDED if importlib.util.find_spec(text.partition(">")[0]) is None]
    if absent:
        names = ", ".join(text.partition(">")[0] for text in absent)
        raise CanaryganError(f"The export needs {names}: pip install {shlex.join(absent)}")


def describe(opened: Opened) -> dict[str, str]:
    """What the graph says of itself: each value is text, as ONNX wants it."""
    generator = opened.generator
    low, high = find_box(generator)
    return {
        "rate": str(generator.rate),
        "samples": str(generator.samples),
        "latent_dim": str(generator.latent_dim),
        "latent_low": " ".join(f"{value:g}" for value in low),
        "latent_high": " ".join(f"{value:g}" for value in high),
        "version": opened.version,
        "epoch": str(generator.progress["epoch"]),
        "step": str(generator.progress["step"]),
        "checkpoint": opened.digest,
    }


def export(opened: Opened, facts: Mapping[str, str]) -> bytes:
    """The generator as an ONNX file: `z`, float32 (batch, latent_dim), to `sound`, float32 (batch, samples).

    Args:
        opened: the generator.
        facts: what the graph says of itself.

    Raises:
        CanaryganError: where the model does not give its network, or torch cannot export it.
    """
    check_installed()
    import torch

    network = find_network(opened.generator)
    if network is None:
        raise CanaryganError(f"The model of {opened.checkpoint} does not give its network, so nothing can be exported.")
    example = torch.zeros(2, opened.generator.latent_dim)
    sizes = ({0: torch.export.Dim("batch")},)
    names: dict[str, Any] = {"input_names": ["z"], "output_names": ["sound"], "dynamic_shapes": sizes}
    try:
        with _be_quiet():
            program = torch.onnx.export(network, (example,), None, dynamo=True, verbose=False, **names)
        if program is None:
            raise ValueError("no graph came of it")
        return _serialize(program.model_proto, facts)
    except Exception as error:  # noqa: BLE001 a stranger's network may break the exporter anywhere
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise CanaryganError(f"torch cannot export the network of {opened.checkpoint}: {reason}") from None


def _serialize(model: Any, facts: Mapping[str, str]) -> bytes:
    """The bytes of a graph that says what it is; `ValueError` where they are more than such a file may have, 2 GB."""
    model.producer_name, model.doc_string = "canarygan", "z to sound: latents to sounds of full scale at -1 and 1"
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def compare(opened: Opened, graph: bytes, seed: int = 0) -> tuple[float, float] | None:
    """The largest difference of the samples of five sounds of the graph from those of the network, and of `generate`.

    The second one is larger where the generator computes in less than float32, as after a training in bfloat16. None
    where onnxruntime is not installed.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        log.info("onnxruntime is not installed: the graph is not compared with the model.")
        return None
    import onnxruntime
    import torch

    low, high = find_box(opened.generator)
    z = np.random.default_rng(seed).uniform(low, high, (5, len(low))).astype(np.float32)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (made,) = session.run(["sound"], {"z": z})
    with torch.inference_mode():
        own = find_network(opened.generator)(torch.from_numpy(z)).numpy()
    return float(np.abs(made - own).max()), float(np.abs(made - opened.generator.generate(z)).max())


@contextmanager
def _be_quiet() -> Iterator[None]:
    """Without torch's messages of what it does and does not find."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
