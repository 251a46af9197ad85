"""`sample`: draw latent vectors."""

from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from canarygan_core.components import Answer
from canarygan_core.fitted import latents
from canarygan_core.runs import Manifest, Request, files


def sample(
    *,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("latents"),
    n_samples: Annotated[int, Parameter(alias="-n")] = 16000,
    dim: Annotated[int, Parameter(alias="-d")] = 3,
    dist: str = "uniform",
    dist_params: str = "",
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Draw latent vectors and write them to SAVE_DIR/latent_z-dim_D.npy, float32 of shape (n, d).

    Args:
        save_dir: Folder for the file and its manifest.
        n_samples: Vectors.
        dim: Coordinates of a vector.
        dist: Distribution: uniform, normal, laplace, logistic, triangular, beta, or another of numpy's Generator.
        dist_params: Its parameters, JSON; for uniform {"low": -1, "high": 1} unless given.
        seed: Seed of the draw.
        overwrite: Replace latents that are there already.
    """
    drawn = latents.draw(n_samples, dim, dist=dist, params=dist_params, seed=seed)
    path = save_dir / f"latent_z-dim_{dim}.npy"
    absent = files.check_absent(path, overwrite=overwrite)
    with Manifest.begin(path.with_suffix(".manifest.json"), request, absent=absent, seed=seed) as manifest:
        with files.replace_file(path) as draft, open(draft, "wb") as stream:
            np.save(stream, drawn)
        manifest.add_output(path)
    return Answer(f"{n_samples} vectors of {dim} coordinates: {path}", {"path": str(path), "shape": list(drawn.shape)})
