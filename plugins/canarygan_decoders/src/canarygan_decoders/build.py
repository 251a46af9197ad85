"""`build-decoder-dataset`: turn clips into features to train decoders on."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core.components import Answer
from canarygan_core.errors import CanaryganError
from canarygan_core.runs.manifest import Manifest, ending
from canarygan_core.runs.request import Request
from canarygan_decoders.features import Features


def build_decoder_dataset(
    *,
    data_dir: Annotated[Path, Parameter(alias="-d")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("decoder-dataset"),
    features: Features = Features(),  # noqa: B008 frozen
    split: float = 0.1,
    augment: int = 3,
    garbage: Path | None = None,
    early_epochs: list[int] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Turn clips into features to train decoders on, and split them into those to train and those to test on.

    Args:
        data_dir: Folder that holds one folder of sound files a class, named by its label.
        save_dir: Folder for the features, their parameters and the manifest.
        split: Share of each class to test on.
        augment: Copies of each training clip, shifted up to 10 ms and under noise 15 to 40 dB below it; 0 for none.
        garbage: Run of a GAN whose early and last sounds become classes of their own, beside white noise; together X.
        early_epochs: Epochs whose sounds are early; may be given again. [default: 15 30 45]
        seed: Seed of the split, the copies and the garbage.
        overwrite: Replace a preprocessed set that is there.
    """
    from canarygan_decoders import dataset

    if augment < 0:
        raise CanaryganError(f"--augment must be at least 0, not {augment}.")
    if (save_dir / dataset.ARCHIVE).exists() and not overwrite:
        raise CanaryganError(f"{save_dir / dataset.ARCHIVE} is there already: give another --save-dir, or --overwrite.")
    clips, rejected = dataset.clips_in(data_dir, features), list[str]()
    if garbage is not None:
        from canarygan_decoders.garbage import with_garbage

        clips, rejected = with_garbage(clips, garbage, early_epochs or [15, 30, 45], seed)
    manifest = Manifest.begin(save_dir / "manifest.json", request, dataset=dict(clips.origin), seed=seed)
    with (
        ending(manifest),
        dataset.prepared(clips, features, share=split, copies=augment, seed=seed, garbage=rejected) as material,
    ):
        for path in dataset.write(save_dir, material):
            manifest.add_output(path)
        train, tests = material.train, material.tests
        counts = {"train": len(set(train.groups.tolist())), "copies": len(train), "test": len(tests.get("clean", ()))}
    shape = " x ".join(map(str, features.shape))
    a_class = Counter(train.labels[: counts["train"]].tolist())
    text = (
        f"{counts['train']} clips to train on ({counts['copies']} with altered copies), {counts['test']} to test on, "
        f"of {len(a_class)} classes; {shape} numbers a clip: {save_dir}\n"
        f"Next: canarygan train-decoders -p {save_dir}"
    )
    return Answer(text, {"path": str(save_dir), "shape": list(features.shape), "classes": sorted(a_class), **counts})
