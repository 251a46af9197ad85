"""Real clips that are played among generated ones, as in the listening test of Pagliarini et al. (2021)."""

from collections.abc import Sequence

import numpy as np

from canarygan_core import Dataset
from canarygan_core.audio import conform
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError


def choose(dataset: Dataset | None, count: int, labels: Sequence[str], shape: tuple[int, int], seed: int) -> Clips:
    """Real clips at the rate and of the length of the stimuli, from the classes of these, of each as many, about.

    Where the dataset has none of their classes, or the stimuli have no labels, clips of all classes are taken.

    Args:
        dataset: of real clips; None for no clips.
        count: clips.
        labels: of the stimuli among which they are played; none where they are not known.
        shape: rate of the stimuli in Hz, and the length of the model's sounds in samples.
        seed: of the choice.

    Raises:
        CanaryganError: where there are fewer clips.
    """
    rate, samples = shape
    if dataset is None:
        return Clips(np.empty((0, samples), np.float32), rate)
    clips = dataset.load()
    known = np.full(len(clips), "") if clips.labels is None else clips.labels
    wanted = sorted({*known.tolist()} & {*labels}) or sorted({*known.tolist()})
    by_class = [
        np.random.default_rng([seed, 3, number]).permutation(np.flatnonzero(known == label)).tolist()
        for number, label in enumerate(wanted)
    ]
    there = sum(map(len, by_class))
    if there < count:
        raise CanaryganError(f"--real {count}: the dataset has {there} clips of {', '.join(wanted)}. Ask for fewer.")
    turns = [rows[turn] for turn in range(max(map(len, by_class))) for rows in by_class if turn < len(rows)]
    return conform(clips.select(np.array(turns[:count], np.intp)), rate, samples)
