import numpy as np
import pytest
from canarygan_decoders import ESN, KNN, SVM
from canarygan_decoders.dataset.examples import Examples
from canarygan_decoders.features import Features
from canarygan_decoders.novelty import Novelty, square_distances

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError


def make_examples(count: int, seed: int = 0, copies: int = 1) -> Examples:
    """Two classes of points around two centres, in the first of 4 x 5 numbers; and garbage far away."""
    rng = np.random.default_rng(seed)
    features = np.zeros((count, 4, 5), np.float32)
    features[:, :2] = rng.normal(0, 1, (count, 2, 5))
    features[count // 2 :, 0] += 20
    labels = np.repeat(["a", "b"], count // 2)
    near = features + rng.normal(0, 0.01, features.shape) * (features != 0)
    garbage = rng.normal(0, 100, (10, 4, 5))
    rows = np.r_[np.arange(count), np.tile(np.arange(count), copies), count + np.arange(10)]
    everything = np.concatenate([features, *[near] * copies, garbage]).astype(np.float32)
    names = np.r_[np.tile(labels, copies + 1), np.full(10, "X-noise")]
    return Examples(everything, names, names, rows, Features(), ("X-noise",))


def test_distances_are_those_of_numpy_with_zeros_after_the_references() -> None:
    rng = np.random.default_rng(0)
    queries, references = rng.normal(size=(5, 9)).astype(np.float32), rng.normal(size=(7, 6)).astype(np.float32)
    padded = np.pad(references, ((0, 0), (0, 3)))
    expected = np.square(queries[:, None] - padded).sum(2)
    np.testing.assert_allclose(square_distances(queries, references), expected, rtol=1e-4)


def test_a_hundredth_of_clips_that_were_not_learnt_lies_beyond_the_limit() -> None:
    novelty = Novelty.fit(make_examples(1000))
    assert novelty is not None
    assert novelty.references.shape[1] == 10  # all real examples are zero behind
    unseen = make_examples(4000, seed=1, copies=0)
    shares = novelty.resemblance(unseen.features[:4000])
    assert 0.002 < np.mean(shares < 0.5) < 0.025, "over 20 seeds from 0.005 to 0.017"
    assert np.median(shares) == pytest.approx(0.95, abs=0.02)


def test_what_lies_between_classes_or_goes_on_longer_is_new() -> None:
    novelty = Novelty.fit(make_examples(200))
    assert novelty is not None
    strange = np.zeros((2, 4, 5), np.float32)
    strange[0, 0] = 10
    strange[1, 3] = 10
    assert (novelty.resemblance(strange) < 0.01).all()


def test_one_clip_has_no_distance_to_others() -> None:
    examples = make_examples(2)
    assert Novelty.fit(examples.select(np.array([0, 2]))) is None


@pytest.mark.parametrize("decoder", [ESN(units=60), KNN(), SVM()], ids=lambda one: one.name)
def test_a_decoder_of_before_has_no_such_test(decoder, syllables: Clips, short: Features) -> None:
    fitted = decoder.fit(syllables, parameters=short)
    pulses = np.random.default_rng(0).standard_normal((5, 4800), np.float32) * (np.arange(4800) % 960 < 320)
    noise = Clips(pulses, 16000)
    assert (fitted.resemblance(noise) < 0.1).all()
    assert (fitted.resemblance(syllables) > 0.5).all()
    old = {name: array for name, array in fitted.state.items() if not name.startswith("novelty_")}
    before = type(fitted)(fitted.decoder, fitted.classes, fitted.parameters, old)
    assert (before.resemblance(noise) == 1).all()
    np.testing.assert_array_equal(before.posteriors(noise), fitted.posteriors(noise))


def test_examples_that_do_not_fit_are_refused() -> None:
    novelty = Novelty.fit(make_examples(20))
    assert novelty is not None
    assert Novelty.from_arrays({}, 20) is None
    with pytest.raises(CanaryganError, match="do not fit"):
        Novelty.from_arrays(novelty.arrays(), 5)
    again = Novelty.from_arrays(novelty.arrays(), 20)
    assert again is not None
    np.testing.assert_array_equal(again.references, novelty.references)
