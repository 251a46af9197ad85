"""What decoders that hear features have in common: a third-party one says how it learns and how it judges, no more."""

import abc
import dataclasses
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from canarygan_core.components import Decoder
from canarygan_core.errors import CanaryganError
from canarygan_decoders import config
from canarygan_decoders.config import CONFIG
from canarygan_decoders.features import Features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canarygan_core.clips import Clips
    from canarygan_decoders.examples import Examples

log = logging.getLogger("canarygan")

STATE, ABOUT = "state.npz", "component.json"

BATCH = 256
"""Clips judged at a time."""


@dataclass(frozen=True)
class FeatureDecoder(Decoder):
    """A decoder of features; see `learn` and `judge`, which are all that a subclass must define."""

    calibrates: ClassVar[bool] = False
    """Whether `judge` gives scores, made posteriors by a temperature found on held-out clips (Guo et al., 2017)."""

    @abc.abstractmethod
    def learn(
        self, features: "NDArray[np.float32]", targets: "NDArray[np.intp]", *, classes: int, parameters: Features
    ) -> "Mapping[str, NDArray[Any]]":
        """What is to be kept, as plain arrays by name.

        Args:
            features: (n, frames, size), maybe memory-mapped.
            targets: (n,) number of each one's class.
            classes: how many there are.
            parameters: what the features are.
        """

    @abc.abstractmethod
    def judge(self, state: Any, features: "NDArray[np.float32]") -> "NDArray[np.floating[Any]]":
        """Posteriors, or scores where `calibrates`, (n, classes), of features (n, frames, size)."""

    def prepare(self, state: "Mapping[str, NDArray[Any]]") -> Any:
        """What `judge` needs of the arrays kept, made once; by default the arrays. Must run no code from them."""
        return state

    def try_out(
        self,
        features: "NDArray[np.float32]",
        targets: "NDArray[np.intp]",
        held: "NDArray[np.intp]",
        rest: "NDArray[np.intp]",
        *,
        classes: int,
        parameters: Features,
    ) -> "tuple[Mapping[str, NDArray[Any]], NDArray[np.floating[Any]]]":
        """What is learnt from all examples, and the scores of the rows `held` when only `rest` was learnt from."""
        trial = self.prepare(self.learn(features[rest], targets[rest], classes=classes, parameters=parameters))
        scores = self.judge(trial, features[held])
        return self.learn(features, targets, classes=classes, parameters=parameters), scores

    def fit(self, clips: "Clips", *, parameters: Features | None = None) -> "FittedFeatureDecoder":
        """Learn from labelled clips."""
        from canarygan_decoders.examples import Examples

        parameters = parameters or Features()
        return self.fit_examples(Examples.of(clips, parameters), parameters)

    def fit_examples(self, examples: "Examples", parameters: Features) -> "FittedFeatureDecoder":
        """Learn from features.

        Raises:
            CanaryganError: where there are fewer than two classes.
        """
        import numpy as np

        from canarygan_decoders import calibration

        classes, targets = np.unique(examples.labels, return_inverse=True)
        if len(classes) < 2:
            there = f"only {classes[0]}" if len(classes) else "none"
            raise CanaryganError(
                f"A decoder tells classes apart and needs at least two; the training clips have {there}."
            )
        known: dict[str, Any] = {"classes": len(classes), "parameters": parameters}
        if not self.calibrates:
            state = self.learn(examples.features, targets, **known)
            return FittedFeatureDecoder(self, tuple(classes.tolist()), parameters, state)
        held, rest = calibration.held_out(targets, examples.groups)
        if len(held):
            state, scores = self.try_out(examples.features, targets, held, rest, **known)
            sharpness = calibration.sharpness(scores, targets[held])
        else:
            log.warning(f"Too few clips a class to calibrate {self.name}: its labels hold, its posteriors are rough.")
            state, sharpness = self.learn(examples.features, targets, **known), 1.0
        return FittedFeatureDecoder(
            self, tuple(classes.tolist()), parameters, {**state, "sharpness": np.asarray(sharpness)}
        )

    @classmethod
    def load(cls, folder: Path) -> "FittedFeatureDecoder":
        """A fitted decoder from its folder; arrays of numbers and words, nothing that runs.

        Raises:
            CanaryganError: where a file is damaged, or they contradict one another.
        """
        from canarygan_core.audio import archives

        parameters = config.read(folder / CONFIG)
        about = _about(folder / ABOUT)
        state = archives.read(folder / STATE)
        heard = tuple(state.get("heard", [None]))
        if heard != parameters.shape:
            raise CanaryganError(
                f"{folder} was trained on other features than its {CONFIG} says: on {' x '.join(map(str, heard))} "
                f"numbers a clip, not {' x '.join(map(str, parameters.shape))}. Copy the folder again, or train anew."
            )
        try:
            fitted = FittedFeatureDecoder(cls._with(about["options"]), tuple(about["classes"]), parameters, state)
            fitted.check()
        except (KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
            raise CanaryganError(f"{folder} is no decoder that this version of {cls.name} can read: {error}.") from None
        return fitted

    @classmethod
    def _with(cls, options: Mapping[str, Any]) -> "FeatureDecoder":
        """The component with recorded options; paths are only a record by now."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        made = {key: None if "Path" in str(fields[key].type) else value for key, value in options.items()}
        return cls(**made)


def _about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(about["options"], dict) and all(isinstance(label, str) for label in about["classes"]):
            return about  # type: ignore[no-any-return]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise CanaryganError(f"{path} is missing or damaged. Copy the decoder's folder again, or train anew.")


@dataclass(frozen=True, eq=False)
class FittedFeatureDecoder:
    """A feature decoder that has learnt; see `canarygan_core.FittedDecoder`.

    Attributes:
        decoder: the component with its options.
        classes: labels in the order of the posteriors' columns.
        parameters: what it hears.
        state: what it has learnt.
    """

    decoder: FeatureDecoder
    classes: tuple[str, ...]
    parameters: Features
    state: "Mapping[str, NDArray[Any]]"

    def __post_init__(self) -> None:
        object.__setattr__(self, "_prepared", self.decoder.prepare(self.state))

    @property
    def rate(self) -> int:
        """Sampling rate it listens at, Hz."""
        return self.parameters.sampling_rate

    @property
    def seconds(self) -> float:
        """How much of a clip it listens to."""
        return self.parameters.max_length

    def posteriors(self, clips: "Clips") -> "NDArray[np.float32]":
        import numpy as np

        from canarygan_decoders import features

        made = [self.of_features(features.extract(part, self.parameters)) for part in clips.batches(BATCH)]
        return np.concatenate(made) if made else np.empty((0, len(self.classes)), np.float32)

    def of_features(self, features: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Posteriors (n, classes) of features (n, frames, size)."""
        import numpy as np

        from canarygan_decoders import calibration

        if features.shape[1:] != self.parameters.shape:
            raise CanaryganError(
                f"{self.decoder.name} was trained on features of shape {self.parameters.shape}, "
                f"not {features.shape[1:]}."
            )
        prepared = self._prepared  # type: ignore[attr-defined]
        parts = [
            np.asarray(self.decoder.judge(prepared, np.asarray(features[start : start + BATCH])), np.float64)
            for start in range(0, len(features), BATCH)
        ]
        judged = np.concatenate(parts) if parts else np.empty((0, len(self.classes)))
        if self.decoder.calibrates:
            judged = calibration.softmax(judged * float(self.state["sharpness"]))
        return judged.astype(np.float32)

    def check(self) -> None:
        """Judge silence, which fails where the arrays do not fit together."""
        import numpy as np

        judged = self.of_features(np.zeros((1, *self.parameters.shape), np.float32))
        if judged.shape != (1, len(self.classes)) or not np.isfinite(judged).all():
            raise ValueError(f"its arrays do not fit its {len(self.classes)} classes")

    def check_parameters(self, path: Path) -> None:
        """Refuse a file of feature parameters that contradicts those it was trained with."""
        config.refuse_unlike(self.parameters, path / CONFIG if path.is_dir() else path)

    def save(self, folder: Path) -> None:
        import numpy as np

        from canarygan_core.audio import archives
        from canarygan_core.plugins.options import jsonable
        from canarygan_core.runs import files

        state = {
            "heard": np.asarray(self.parameters.shape),
            **{key: np.asarray(part) for key, part in self.state.items()},
        }
        with archives.writing(folder / STATE, sum(part.nbytes for part in state.values())) as archive:
            for name, part in state.items():
                archive.add(name, part)
        about = {"options": jsonable(self.decoder), "classes": list(self.classes)}
        files.write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")
        config.write(folder / CONFIG, self.parameters)
