"""`build-decoder-dataset`: turn clips into features to train decoders on."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Manifest, Request
from canarygan_decoders.dataset import SUPPLIED
from canarygan_decoders.features import Features


def build_decoder_dataset(
    *,
    dataset: Annotated[Dataset, Slot("folder", supplied=SUPPLIED)],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("decoder-dataset"),
    features: Features = Features(),  # noqa: B008 frozen
    split: float = 0.1,
    augment: int = 3,
    default_garbage: bool = True,
    garbage: Path | None = None,
    early_epochs: list[int] | None = None,
    group_by: str = "auto",
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Turn clips into features, and split them into those to train decoders on and those to test decoders on.

    Args:
        save_dir: Folder for the features, their parameters and the manifest.
        split: Share of each class to test on.
        augment: Altered copies of each training clip: shifted, tilted in frequency, and under noises; 0 for none.
        default_garbage: Add garbage classes, together X: noise, bursts, syllables that are reversed, shuffled in
            frequency, or two at once.
        garbage: Run of a GAN whose early and last sounds become further garbage classes, and so does white noise.
        early_epochs: Epochs whose sounds become a garbage class each; may be given again. [default: 15 30 45]
        group_by: What is kept on one side of the split, as train-gan takes it: auto, none, recording, folder, or a
            regular expression that finds the group in a file's path.
        seed: Seed of the split, the copies and the garbage classes.
        overwrite: Replace a set that is in the folder already.
    """
    from canarygan_core.runs import files
    from canarygan_decoders.dataset import decoder_dataset

    if augment < 0:
        raise CanaryganError(f"--augment must be at least 0, not {augment}.")
    archive = save_dir / decoder_dataset.ARCHIVE
    absent = files.check_absent(archive, overwrite=overwrite)
    clips = decoder_dataset.load_clips(dataset, features)
    if garbage is not None:
        from canarygan_decoders.dataset.garbage import add_garbage

        clips, _ = add_garbage(clips, garbage, early_epochs or [15, 30, 45], seed)
    facts = {"dataset": dict(clips.origin), "seed": seed}
    manifest = Manifest.begin(save_dir / "manifest.json", request, absent=absent, **facts)
    preparation = decoder_dataset.prepare_dataset(
        clips, features, share=split, copies=augment, seed=seed, default_garbage=default_garbage, group_by=group_by
    )
    with manifest, preparation as prepared:
        for path in decoder_dataset.write_dataset(save_dir, prepared):
            manifest.add_output(path)
        train, classes = prepared.train, prepared.train.classes
        originals, strange = int((train.is_original & ~train.is_garbage).sum()), int(train.is_garbage.sum())
        real = len(classes) - len(prepared.garbage)
        tests = len(prepared.tests.get("clean", ()))
    shape = " x ".join(map(str, features.shape))
    text = (
        f"{originals} clips to train on ({len(train) - strange} with altered copies) and {strange} of garbage, "
        f"{tests} to test on, of {real} classes; {shape} numbers a clip: {save_dir}\n"
        f"Next: canarygan train-decoders -p {shlex.quote(str(save_dir))}"
    )
    counts = {"train": originals, "copies": len(train) - strange, "garbage": strange, "test": tests}
    return Answer(text, {"path": str(save_dir), "shape": list(features.shape), "classes": list(classes), **counts})
