"""`build-decoder-dataset`: turn clips into features to train decoders on."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core.audio import Filter
from canarygan_core.components import Answer
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import holding
from canarygan_core.runs import Manifest, Request
from canarygan_decoders.features import Features


def build_decoder_dataset(
    *,
    data_dir: Annotated[Path, Parameter(alias="-d")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("decoder-dataset"),
    features: Features = Features(),  # noqa: B008 frozen
    filtering: Filter = Filter(),  # noqa: B008 frozen
    channel: int | None = None,
    split: float = 0.1,
    augment: int = 3,
    garbage: Path | None = None,
    early_epochs: list[int] | None = None,
    group_by: str = holding.AUTO,
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Turn clips into features, and split them into those to train decoders on and those to test decoders on.

    Args:
        data_dir: Folder that holds one folder of sound files per class, named by its label.
        save_dir: Folder for the features, their parameters and the manifest.
        channel: Channel of each file to take, counted from 1. [default: the mean of all]
        split: Share of each class to test on.
        augment: Altered copies of each training clip, shifted up to 10 ms and under noise 15 to 40 dB below it; 0 for
            none.
        garbage: Run of a GAN whose early and last sounds become garbage classes, and so does white noise; together X.
        early_epochs: Epochs whose sounds become a garbage class each; may be given again. [default: 15 30 45]
        group_by: What is kept on one side of the split, as train-gan takes it: auto, none, recording, folder, or a
            regular expression that finds the group in a file's path.
        seed: Seed of the split, the copies and the garbage classes.
        overwrite: Replace a set that is in the folder already.
    """
    from canarygan_decoders.dataset import decoder_dataset

    if augment < 0:
        raise CanaryganError(f"--augment must be at least 0, not {augment}.")
    archive = save_dir / decoder_dataset.ARCHIVE
    if archive.exists() and not overwrite:
        raise CanaryganError(f"{archive} is there already: give another --save-dir, or --overwrite.")
    clips, garbage_labels = decoder_dataset.load_clips(data_dir, features, filtering, channel), list[str]()
    if garbage is not None:
        from canarygan_decoders.dataset.garbage import add_garbage

        clips, garbage_labels = add_garbage(clips, garbage, early_epochs or [15, 30, 45], seed)
    manifest = Manifest.begin(save_dir / "manifest.json", request, dataset=dict(clips.origin), seed=seed)
    preparation = decoder_dataset.prepare_dataset(
        clips, features, share=split, copies=augment, seed=seed, garbage=garbage_labels, group_by=group_by
    )
    with manifest, preparation as dataset:
        for path in decoder_dataset.write_dataset(save_dir, dataset):
            manifest.add_output(path)
        train, classes = dataset.train, dataset.train.classes
        originals, tests = int(train.is_original.sum()), len(dataset.tests.get("clean", ()))
    text = (
        f"{originals} clips to train on ({len(train)} with altered copies), {tests} to test on, "
        f"of {len(classes)} classes; {' x '.join(map(str, features.shape))} numbers a clip: {save_dir}\n"
        f"Next: canarygan train-decoders -p {shlex.quote(str(save_dir))}"
    )
    counts = {"train": originals, "copies": len(train), "test": tests}
    return Answer(text, {"path": str(save_dir), "shape": list(features.shape), "classes": list(classes), **counts})
