"""What several listeners said of the same stimuli, compared with the key and with each other."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from canarygan_core.evaluation.accuracy import ClassificationReport, compute_interval, compute_report
from canarygan_latents.stimuli.kappa import Kappa, compute_cohen, compute_fleiss
from canarygan_latents.stimuli.sheets import Answered, Stimulus

KINDS = {"all": (True, False), "real": (True,), "generated": (False,)}
"""Which stimuli a comparison is over."""


@dataclass(frozen=True)
class Called:
    """How often stimuli of one kind were called real.

    Attributes:
        real: trials.
        trials: of which something was said.
    """

    real: int
    trials: int

    def describe(self) -> str:
        """Such as `0.40, 95 % from 0.22 to 0.61 (8 of 20)`."""
        if not self.trials:
            return "not said"
        low, high = compute_interval(self.real, self.trials)
        return f"{self.real / self.trials:.2f}, 95 % from {low:.2f} to {high:.2f} ({self.real} of {self.trials})"

    def to_json(self) -> dict[str, Any] | None:
        """The same for programs; None of no trials."""
        if not self.trials:
            return None
        interval = list(compute_interval(self.real, self.trials))
        return {"share": self.real / self.trials, "interval_95": interval, "real": self.real, "trials": self.trials}


@dataclass(frozen=True, eq=False)
class Listening:
    """The sheets of several listeners, with the key.

    Attributes:
        key: by file.
        sheets: by listener.
    """

    key: Mapping[str, Stimulus]
    sheets: Mapping[str, Sequence[Answered]]

    def compare_with_key(self, listener: str, kind: str = "all") -> Kappa | None:
        """How a listener's labels agree with the key's; None where no trial has both."""
        pairs = self._pair_with_key(listener, kind)
        return compute_cohen(*zip(*pairs, strict=True)) if pairs else None

    def compare_listeners(self) -> dict[tuple[str, str], Kappa | None]:
        """How the labels of any two agree, over the trials that both labelled."""
        found: dict[tuple[str, str], Kappa | None] = {}
        for first, second in itertools.combinations(self.sheets, 2):
            one, other = self._labels(first), self._labels(second)
            shared = [trial for trial in one if trial in other]
            alike = ([one[trial] for trial in shared], [other[trial] for trial in shared])
            found[first, second] = compute_cohen(*alike) if shared else None
        return found

    def compare_all(self) -> tuple[float, int]:
        """Fleiss' kappa over the trials that all labelled, and how many these are; NaN where there are none."""
        labels = [self._labels(listener) for listener in self.sheets]
        shared = [trial for trial in labels[0] if all(trial in one for one in labels)]
        if len(labels) < 2 or not shared:
            return math.nan, len(shared)
        return compute_fleiss([[one[trial] for one in labels] for trial in shared]), len(shared)

    def count_confusion(self, kind: str = "all") -> ClassificationReport | None:
        """Labels of the key (rows) and of all listeners (columns); None where no trial has both."""
        pairs = [pair for listener in self.sheets for pair in self._pair_with_key(listener, kind)]
        if not pairs:
            return None
        truth, given = zip(*pairs, strict=True)
        return compute_report(truth, given, sorted({*truth}))

    def count_called_real(self, is_real: bool, listeners: Sequence[str] | None = None) -> Called:
        """How often real or generated stimuli were called real, by some listeners or by all."""
        answers = [one for listener in listeners or self.sheets for one in self.sheets[listener]]
        said = [one.is_real for one in answers if one.is_real is not None and self.key[one.file].is_real == is_real]
        return Called(sum(said), len(said))

    def measure_confidence(self, listener: str) -> float | None:
        """The mean confidence of a listener; None where none was given."""
        given = [one.confidence for one in self.sheets[listener] if one.confidence is not None]
        return float(np.mean(given)) if given else None

    def _labels(self, listener: str) -> dict[tuple[str, int], str]:
        """By file, and how many times it had been played, the labels that a listener gave."""
        return {(one.file, one.time): one.label for one in self.sheets[listener] if one.label}

    def _pair_with_key(self, listener: str, kind: str) -> list[tuple[str, str]]:
        """The label of the key and that of a listener, of each trial that has both."""
        return [
            (self.key[file].label, label)
            for (file, _), label in self._labels(listener).items()
            if self.key[file].label and self.key[file].is_real in KINDS[kind]
        ]
