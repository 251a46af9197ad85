"""The base of all decoders that take features: a subclass defines how it learns and how it scores, and no more."""

import abc
import dataclasses
import json
import logging
import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.components import Decoder
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs.documents import Format
from canarygan_decoders.features import Features
from canarygan_decoders.features.config_file import CONFIG, read_config, write_config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips
    from canarygan_decoders.dataset.examples import Examples

    State = Mapping[str, NDArray[Any]]
    FeatureArray = NDArray[np.float32]
    Scores = NDArray[np.floating[Any]]

log = logging.getLogger("canarygan")

STATE, COMPONENT = "state.npz", "component.json"

BATCH = 256
"""Clips scored at a time."""

FORMAT = Format("the record of a decoder's options", {"options": dict[str, Any], "classes": list[str]})
"""What `COMPONENT` holds."""

LAYOUT = {"heard": "iu axes", "sharpness?": "f", "novelty_limit?": "f", "novelty_power?": "f"}
LAYOUT |= {"novelty_references?": "f examples numbers"}
"""What `STATE` holds beside the arrays of each decoder."""


@dataclass(frozen=True)
class FeatureDecoder(Decoder):
    """A decoder of features; a subclass must define `learn` and `predict`."""

    is_calibrated: ClassVar[bool] = False
    """Whether `predict` returns scores, to be made posteriors by a temperature (Guo et al., 2017)."""
    learns_from: ClassVar[str] = "features"
    compute_features: ClassVar[Callable[..., Any] | None] = None
    """Features of its own in place of --features: a method of sounds (n, samples), aligned, and their rate in Hz that
    returns float32 (n, ...), each row by its own sound alone, zero for silence. Such a decoder learns from clips."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "compute_features" in vars(cls):
            cls.learns_from = "clips"

    @abc.abstractmethod
    def learn(self, examples: "Examples") -> "State":
        """What the decoder learns from examples, as plain arrays by name."""

    @abc.abstractmethod
    def predict(self, state: Any, features: "FeatureArray") -> "Scores":
        """Posteriors, or scores where `is_calibrated`, (n, classes), of features (n, frames, size).

        Args:
            state: what `prepare` returned.
            features: float32.
        """

    def prepare(self, state: "State") -> Any:
        """What `predict` needs, from the arrays that `learn` returned; by default these arrays. Must run no code."""
        return state

    def learn_and_score(
        self, examples: "Examples", test: "NDArray[np.intp]", train: "NDArray[np.intp]"
    ) -> "tuple[State, Scores]":
        """Learn from all examples; and score some of them after learning from others.

        Args:
            examples: (n).
            test: rows to score.
            train: rows to learn from before `test` is scored.

        Returns:
            What was learnt from all examples, and the scores of `test` (rows, classes).
        """
        partial = self.prepare(self.learn(examples.select(train)))
        return self.learn(examples), self.predict(partial, examples.features[test])

    def fit(self, clips: "Clips", *, parameters: Features | None = None) -> "FittedFeatureDecoder":
        """Learn from labelled clips."""
        from canarygan_decoders.dataset.examples import Examples

        return self.fit_examples(Examples.from_clips(clips, parameters or Features(), self.compute_features))

    def fit_examples(self, examples: "Examples") -> "FittedFeatureDecoder":
        """Learn from examples and what is new to them; calibrate on a fifth of their clips where `is_calibrated`.

        Raises:
            CanaryganError: where there are fewer than two classes.
        """
        import numpy as np

        from canarygan_core.fitted.novelty import Novelty
        from canarygan_decoders import calibration

        classes = examples.classes
        if len(classes) < 2:
            raise CanaryganError(
                "A decoder tells classes apart and needs at least two; the training clips have "
                f"{f'only {classes[0]}' if classes else 'none'}."
            )
        novelty = Novelty.fit(examples.features, examples.groups, np.flatnonzero(~examples.is_garbage))
        known = {} if novelty is None else novelty.arrays()
        if not self.is_calibrated:
            return FittedFeatureDecoder(self, classes, examples.parameters, {**self.learn(examples), **known})
        is_held_out = examples.folds(calibration.FOLDS) == calibration.FOLDS - 1
        test = np.flatnonzero(is_held_out & examples.is_original)
        if len(test):
            state, scores = self.learn_and_score(examples, test, np.flatnonzero(~is_held_out))
            sharpness = calibration.fit_sharpness(scores, examples.targets[test])
        else:
            log.warning(f"Too few clips a class to calibrate {self.name}: its labels hold, its posteriors are rough.")
            state, sharpness = self.learn(examples), 1.0
        state = {**state, "sharpness": np.asarray(sharpness), **known}
        return FittedFeatureDecoder(self, classes, examples.parameters, state)

    def find_shape(self, parameters: Features) -> tuple[int, ...]:
        """The shape of a clip's features."""
        if self.compute_features is None:
            return parameters.shape
        from canarygan_decoders.features.extraction import find_shape

        return find_shape(parameters, self.compute_features)

    @classmethod
    def load(cls, folder: Path) -> "FittedFeatureDecoder":
        """A fitted decoder from its folder; its files hold numbers and words, and no code is run.

        Raises:
            CanaryganError: where a file is damaged, or the files contradict one another.
        """
        import numpy as np

        from canarygan_core.audio import archives

        parameters, state = read_config(folder / CONFIG), archives.read(folder / STATE, LAYOUT)
        types = {field.name: str(field.type) for field in dataclasses.fields(cls)}
        record = FORMAT.read(folder / COMPONENT)
        options = {name: None if "Path" in types.get(name, "") else value for name, value in record["options"].items()}
        try:
            decoder = cls(**options)
            wanted, shape = decoder.find_shape(parameters), tuple(state["heard"].tolist())
            if shape != wanted:
                told, said = (" x ".join(map(str, one)) for one in (shape, wanted))
                problem = f"on {told} numbers a clip, not {said}. Copy the folder again, or train anew"
                raise CanaryganError(f"{folder} was trained on other features than its {CONFIG} says: {problem}.")
            fitted = FittedFeatureDecoder(decoder, tuple(record["classes"]), parameters, state)
            posteriors = fitted.predict(np.zeros((1, *shape), np.float32))
            if posteriors.shape != (1, len(fitted.classes)) or not np.isfinite(posteriors).all():
                raise ValueError(f"its arrays do not fit its {len(fitted.classes)} classes")
        except CanaryganError:
            raise
        except Exception as error:  # noqa: BLE001 arrays that do not fit may break what a decoder computes anywhere
            problem = f"{folder} is no decoder that this version of {cls.name} can read"
            raise CanaryganError(f"{problem}: {str(error) or type(error).__name__}.") from None
        return fitted


_latest: "weakref.WeakKeyDictionary[Clips, dict[Any, FeatureArray]]" = weakref.WeakKeyDictionary()


def iterate_features(clips: "Clips", parameters: Features, compute: Any = None) -> "Iterator[FeatureArray]":
    """Features of clips, `BATCH` of them at a time; those that a function computes of sounds, where one is given.

    Those of few clips are kept as long as the clips: several decoders ask for them, for posteriors and for novelty.
    """
    from canarygan_decoders.features.extraction import extract

    if not 0 < len(clips) <= BATCH:
        for batch in clips.batches(BATCH):
            yield extract(batch, parameters, compute)
        return
    known, key = _latest.setdefault(clips, {}), (parameters, compute)
    if key not in known:
        known[key] = extract(clips, parameters, compute)
    yield known[key]


@dataclass(eq=False)
class FittedFeatureDecoder:
    """A trained decoder of features; see `canarygan_core.FittedDecoder`.

    Attributes:
        decoder: the component with its options.
        classes: labels in the order of the posteriors' columns.
        parameters: of the features.
        state: what `learn` returned, and `sharpness` where the decoder is calibrated.
    """

    decoder: FeatureDecoder
    classes: tuple[str, ...]
    parameters: Features
    state: "State"

    def __post_init__(self) -> None:
        from canarygan_core.fitted.novelty import Novelty

        self._prepared = self.decoder.prepare(self.state)
        self._shape = self.decoder.find_shape(self.parameters)
        self._novelty = Novelty.from_arrays(self.state, math.prod(self._shape))

    @property
    def rate(self) -> int:
        """Sampling rate of the clips it takes, Hz."""
        return self.parameters.sampling_rate

    @property
    def seconds(self) -> float:
        """Length of the clips it takes, s."""
        return self.parameters.max_length

    def _iterate_features(self, clips: "Clips") -> "Iterator[FeatureArray]":
        return iterate_features(clips, self.parameters, self.decoder.compute_features)

    def posteriors(self, clips: "Clips") -> "FeatureArray":
        import numpy as np

        parts = [self.predict(features) for features in self._iterate_features(clips)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)), np.float32)

    def resemblance(self, clips: "Clips") -> "FeatureArray":
        """How likely clips are of a kind with the training clips (n,); see `canarygan_core.fitted.novelty`."""
        import numpy as np

        parts = [self.compare(features) for features in self._iterate_features(clips)]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    def compare(self, features: "FeatureArray") -> "FeatureArray":
        """The same of clips with these features (n, frames, size); 1 where the decoder has no such test, as of 0.2."""
        import numpy as np

        return np.ones(len(features), np.float32) if self._novelty is None else self._novelty.compare(features)

    def predict(self, features: "FeatureArray") -> "FeatureArray":
        """Posteriors (n, classes) of features (n, frames, size).

        Raises:
            CanaryganError: where the features have another shape than those that the decoder was trained on.
        """
        import numpy as np

        if features.shape[1:] != self._shape:
            raise CanaryganError(
                f"{self.decoder.name} was trained on features of shape {self._shape}, not {features.shape[1:]}."
            )
        parts = []
        for start in range(0, len(features), BATCH):
            batch = np.asarray(features[start : start + BATCH])
            parts.append(np.asarray(self.decoder.predict(self._prepared, batch), np.float64))
        scores = np.concatenate(parts) if parts else np.empty((0, len(self.classes)))
        if self.decoder.is_calibrated:
            from canarygan_decoders.calibration import to_posteriors

            scores = to_posteriors(scores, float(self.state["sharpness"]))
        return scores.astype(np.float32)

    def check_parameters(self, path: Path) -> None:
        """Compare its feature parameters with those in a file, or in the folder that holds it.

        Raises:
            UsageError: with every difference.
        """
        given = read_config(path / CONFIG if path.is_dir() else path)
        if differences := self.parameters.differences(given):
            raise UsageError(
                f"The decoder was trained on other features than those in -p {path}: {'; '.join(differences)}. "
                "Leave out -p."
            )

    def save(self, folder: Path) -> None:
        import numpy as np

        from canarygan_core.audio import archives
        from canarygan_core.plugins.options import to_json
        from canarygan_core.runs import files

        state = {name: np.asarray(array) for name, array in self.state.items()}
        state = {"heard": np.asarray(self._shape)} | state
        with archives.writing(folder / STATE, sum(array.nbytes for array in state.values())) as archive:
            for name, array in state.items():
                archive.add(name, array)
        component = {"options": to_json(self.decoder), "classes": list(self.classes)}
        files.write_text(folder / COMPONENT, json.dumps(component, indent=2) + "\n")
        write_config(folder / CONFIG, self.parameters)
