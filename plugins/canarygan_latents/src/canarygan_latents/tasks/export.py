"""`export`: give a generator to other programs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core import Answer, Request
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs import Manifest, files
from canarygan_latents import exporting
from canarygan_latents.opening import open_generator
from canarygan_latents.options import Checkpoint

FAR = 1e-3
"""Difference of samples from which a graph is no good."""


def export(
    *,
    generator_ckpt: Checkpoint,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("exported"),
    format: str = "onnx",
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Write a generator for other programs: as an ONNX graph that takes latents z (n, d) to sound (n, samples).

    Args:
        save_dir: Folder for the graph and its manifest.
        format: onnx.
        overwrite: Replace a graph of the same name.
    """
    if format != "onnx":
        raise UsageError(f"--format {format}: there is onnx.")
    exporting.check_installed()
    opened = open_generator(generator_ckpt, "cpu")
    path = save_dir / f"generator-{opened.stem}.onnx"
    absent = files.check_absent(path, overwrite=overwrite)
    facts = exporting.describe(opened)
    with Manifest.begin(path.with_suffix(".manifest.json"), request, absent=absent) as manifest:
        opened.record(manifest)
        graph = exporting.export(opened, facts)
        apart = exporting.compare(opened, graph)
        if apart is not None and apart[0] > FAR:
            raise CanaryganError(f"The graph makes other sounds than the network: they differ by up to {apart[0]:.2g}.")
        with files.replace_file(path) as draft:
            draft.write_bytes(graph)
        manifest.add_output(path)
    lines = [f"{path} ({len(graph) / 1e6:.1f} MB): z (n, {facts['latent_dim']}) to sound (n, {facts['samples']})."]
    if apart is None:
        lines.append("Not compared with the model: onnxruntime is not installed.")
    else:
        lines.append(f"Samples differ from the network's by {apart[0]:.1g} at most, from generate's by {apart[1]:.1g}.")
    data = {"path": str(path), "apart": None if apart is None else apart[0], **facts}
    return Answer("\n".join(lines), data)
