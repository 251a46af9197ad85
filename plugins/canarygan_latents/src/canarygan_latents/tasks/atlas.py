"""`atlas`: a model's latent space as one HTML page."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from canarygan_core import Answer, Request
from canarygan_latents.options import Axes, Checkpoint, Data, Decoders, Device, Point


def atlas(
    *,
    generator_ckpt: Checkpoint,
    decoder_ckpt: Decoders = None,
    dataset: Data = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("atlas"),
    side: int = 20,
    axes: Axes = None,
    at: Point = None,
    draws: int = 4000,
    batch_size: int = 100,
    seed: int = 0,
    device: Device = "auto",
    device_idx: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Show a model's latent space as one HTML page that needs no network: classes, sounds, acoustics, paths to hear.

    The real clips are those of --dataset or -d, or else those that the run was trained on.

    Args:
        save_dir: Folder for the page and its manifest.
        side: Cells along each axis; a cube of three axes has SIDE ** 3.
        draws: Latents drawn as in training in a space of more than the shown dimensions, for shares and acoustics.
        batch_size: Sounds computed at a time.
        seed: Seed of the draw.
        device_idx: Which GPU.
        overwrite: Replace a page of the same name.
    """
    from canarygan_core.fitted import decoders
    from canarygan_core.plugins import get_registry
    from canarygan_core.runs import Manifest, files
    from canarygan_latents.atlas import page
    from canarygan_latents.atlas.content import Sizes, make_content, plan_views
    from canarygan_latents.atlas.real import find_real
    from canarygan_latents.opening import open_generator

    sizes = Sizes(side, axes, at, draws, batch_size, seed)
    files.check_outside(getattr(dataset, "data_dir", None), save_dir)
    opened = open_generator(generator_ckpt, device, device_idx)
    plan_views(opened, sizes)  # which refuses what the space does not have, before anything is written
    trained = decoders.load_all(decoder_ckpt or [], get_registry(), None, device, device_idx)
    clips, note = find_real(dataset, request.given, opened, trained)
    path = save_dir / f"{opened.stem}.html"
    absent = files.check_absent(path, overwrite=overwrite)
    with Manifest.begin(path.with_suffix(".manifest.json"), request, absent=absent, seed=seed) as manifest:
        opened.record(manifest)
        for one in trained:
            manifest.add_input(f"decoder {one.key}", one.folder / decoders.RECORD)
        if note:
            manifest.warn(note)
        content = make_content(opened, trained, sizes, clips=clips, record=manifest.record)
        files.write_text(path, page.compose(content))
        manifest.add_output(path)
    size = path.stat().st_size
    text = "\n".join(filter(None, [f"{path} ({size / 1e6:.1f} MB): open it in a browser.", note, _tell(content)]))
    return Answer(text, {"path": str(path), "bytes": size, "generator": "network" if content["network"] else "sounds"})


def _tell(content: dict[str, Any]) -> str:
    """What makes the sounds in the page."""
    if content["network"]:
        apart = content["network"]["parity"]
        return f"The generator is in the page; of the sounds compared none is further than {apart:.1g} from generate."
    sides = [view["side"] for view in content["sounds"]["views"]]
    return f"The page plays the nearest of {sides[0]} sounds an axis: {content['sounds']['why']}."
