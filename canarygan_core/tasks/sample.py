"""`sample`: draw latent vectors."""

from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from canarygan_core import runs
from canarygan_core.components import Answer
from canarygan_core.errors import UsageError
from canarygan_core.fitted import generators, latents
from canarygan_core.plugins import get_registry
from canarygan_core.runs import Manifest, Request, files


def sample(
    *,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("latents"),
    n_samples: Annotated[int, Parameter(alias="-n")] = 16000,
    dim: Annotated[int | None, Parameter(alias="-d")] = None,
    generator_ckpt: Annotated[Path | None, Parameter(alias="-x")] = None,
    dist: str | None = None,
    dist_params: str = "",
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Draw latent vectors and write them to SAVE_DIR/latent_z-dim_D.npy, float32 of shape (n, d).

    Args:
        save_dir: Folder for the file and its manifest.
        n_samples: Vectors.
        dim: Coordinates of a vector. [default: those of --generator-ckpt, or else 3]
        generator_ckpt: Checkpoint or run of a model that takes the latents; they are drawn as its training drew them.
        dist: Distribution: uniform, normal, laplace, logistic, triangular, beta, or another of numpy's Generator.
            [default: that of the model, or else uniform]
        dist_params: Its parameters, JSON; for uniform {"low": -1, "high": 1} unless given.
        seed: Seed of the draw.
        overwrite: Replace latents that are there already.
    """
    if generator_ckpt is None:
        drawn = latents.draw(
            n_samples, 3 if dim is None else dim, dist=dist or "uniform", params=dist_params, seed=seed
        )
    else:
        generator = generators.load(runs.find_checkpoint(generator_ckpt), get_registry(), model=None, device="cpu")[0]
        if dim not in (None, generator.latent_dim):
            raise UsageError(f"{generator_ckpt} takes latents of {generator.latent_dim} coordinates: leave out --dim.")
        drawn = latents.draw_for(generator, n_samples, dist=dist, params=dist_params, seed=seed)
    dim = drawn.shape[1]
    path = save_dir / f"latent_z-dim_{dim}.npy"
    absent = files.check_absent(path, overwrite=overwrite)
    with Manifest.begin(path.with_suffix(".manifest.json"), request, absent=absent, seed=seed) as manifest:
        with files.replace_file(path) as draft, open(draft, "wb") as stream:
            np.save(stream, drawn)
        manifest.add_output(path)
    return Answer(f"{n_samples} vectors of {dim} coordinates: {path}", {"path": str(path), "shape": list(drawn.shape)})
