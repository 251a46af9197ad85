import os
import subprocess
import sys

import numpy as np
import pytest
import sklearn.linear_model
import torch
from canarygan_decoders import ESN
from canarygan_decoders.dataset.examples import Examples
from canarygan_decoders.esn import readout
from canarygan_decoders.esn.decoder import SINGLE
from canarygan_decoders.esn.reservoir import draw_reservoir
from reservoirpy.mat_gen import bernoulli
from reservoirpy.nodes import Reservoir as Node
from reservoirpy.nodes import Ridge

from canarygan_core.errors import CanaryganError

DRAW = {
    "leak": 0.05,
    "spectral_radius": 0.5,
    "bias_scaling": 1.0,
    "input_connectivity": 0.1,
    "rc_connectivity": 0.1,
    "seed": 7,
}
SCALING = np.r_[np.full(13, 1.0), np.full(13, 0.7)]


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    """Five clips of 30 frames of 26 numbers."""
    return np.random.default_rng(0).normal(size=(5, 30, 26))


def node() -> Node:
    result = Node(
        100,
        lr=0.05,
        sr=0.5,
        input_scaling=SCALING,
        bias=bernoulli,
        input_connectivity=0.1,
        rc_connectivity=0.1,
        input_dim=26,
        seed=7,
    )
    result.initialize(np.zeros((1, 26)))
    return result


def one_by_one(series: np.ndarray) -> np.ndarray:
    """States (clips, frames, units) of reservoirpy's own step, reset before every clip."""
    theirs, result = node(), []
    for clip in series:
        theirs.state = {"out": np.zeros(100)}
        result.append(np.stack([theirs.step(frame) for frame in clip]))
    return np.stack(result)


def test_states_are_those_of_reservoirpy_reset_before_every_clip(series: np.ndarray) -> None:
    pool = draw_reservoir(100, SCALING, **DRAW)
    result = pool.compute_states(series).transpose(0, 1).numpy()
    np.testing.assert_allclose(result, one_by_one(series), rtol=0, atol=1e-6)


def test_reservoirpy_leaves_no_folder_among_temporary_files(tmp_path) -> None:
    code = "from canarygan_decoders.esn import reservoir; print(reservoir._import_reservoirpy()._TEMPDIR)"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TORCHINDUCTOR_CACHE_DIR": "unused"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_states_do_not_depend_on_order_or_batch(series: np.ndarray) -> None:
    pool = draw_reservoir(100, SCALING, **DRAW)
    together = pool.compute_states(series).numpy()
    backwards = pool.compute_states(series[::-1].copy()).numpy()[:, ::-1]
    alone = np.concatenate([pool.compute_states(clip[None]).numpy() for clip in series], 1)
    np.testing.assert_allclose(backwards, together, rtol=0, atol=1e-12)
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_readout_is_reservoirpys_ridge(series: np.ndarray, dtype: torch.dtype) -> None:
    targets = np.array([0, 1, 2, 1, 0])
    pool = draw_reservoir(100, SCALING, **DRAW).to(dtype)
    weights, bias = readout.sum_states(pool, series, np.eye(3)[targets], np.arange(5)).solve(0.1)
    theirs = Ridge(ridge=0.1)
    hot = np.eye(3)[targets]
    theirs.fit(list(one_by_one(series)), [np.tile(row, (30, 1)) for row in hot])
    tolerance = 1e-8 if dtype is torch.float64 else 2e-4
    np.testing.assert_allclose(weights, theirs.Wout, atol=tolerance)
    np.testing.assert_allclose(bias, theirs.bias, atol=tolerance)


def test_readout_is_least_squares(series: np.ndarray) -> None:
    targets = np.array([0, 1, 0, 1, 1])
    pool = draw_reservoir(100, SCALING, **DRAW)
    weights, bias = readout.sum_states(pool, series, np.eye(2)[targets], np.arange(5)).solve(1e-9)
    rows = pool.compute_states(series).transpose(0, 1).reshape(150, 100).numpy()
    solved = np.linalg.lstsq(np.c_[rows, np.ones(150)], np.repeat(np.eye(2)[targets], 30, 0), rcond=None)[0]
    np.testing.assert_allclose(rows @ weights + bias, np.c_[rows, np.ones(150)] @ solved, atol=1e-4)


def test_the_papers_ridge_gives_scikit_learns_readout(syllables, short) -> None:
    fitted = ESN(units=80, ridge=1e-8).fit(syllables, parameters=short)
    examples = Examples.from_clips(syllables, short)
    pool, weights, bias = fitted.decoder.prepare(fitted.state)
    assert {tensor.dtype for tensor in (pool.recurrent, pool.inputs, pool.bias, weights, bias)} == {torch.float64}
    states = pool.compute_states(examples.features).transpose(0, 1).numpy()  # (clips, frames, units)
    rows, targets = states.reshape(-1, 80), np.repeat(examples.one_hot, states.shape[1], 0)
    theirs = sklearn.linear_model.Ridge(alpha=1e-8, solver="svd").fit(rows, targets)
    np.testing.assert_allclose(weights.numpy().T, theirs.coef_, rtol=0, atol=1e-5 * np.abs(theirs.coef_).max())
    scores = fitted.decoder.predict((pool, weights, bias), examples.features)
    expected = theirs.predict(rows).reshape(*states.shape[:2], -1).mean(1)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-7)


def test_precision_is_kept_in_the_folder(tmp_path, syllables, short) -> None:
    for options, dtype in (({}, np.float32), ({"ridge": 1e-8}, np.float64), ({"precision": "64"}, np.float64)):
        fitted = ESN(units=40, **options).fit(syllables, parameters=short)
        fitted.save(tmp_path)
        again = ESN.load(tmp_path)
        assert again.state["recurrent"].dtype == dtype
        np.testing.assert_array_equal(again.posteriors(syllables), fitted.posteriors(syllables))


def test_a_ridge_too_small_for_float32_says_what_to_take(series: np.ndarray) -> None:
    same = np.repeat(series[:1], 5, 0)  # fewer different states than units
    pool = draw_reservoir(100, SCALING, **DRAW)
    targets = np.eye(2)[[0, 1, 0, 1, 1]]
    with pytest.raises(CanaryganError, match=r"take --esn\.precision 64"):
        readout.sum_states(pool.to(torch.float32), same, targets, np.arange(5)).solve(1e-8)
    weights, _ = readout.sum_states(pool, same, targets, np.arange(5)).solve(1e-8)
    assert np.isfinite(weights).all()
    with pytest.raises(CanaryganError, match="may be auto, 32 or 64"):
        ESN(precision="16")


def test_auto_takes_float64_where_float32_is_too_coarse(syllables, short) -> None:
    same = syllables.select(np.repeat(np.arange(0, len(syllables), 4), 20))  # fewer different states than units
    with pytest.raises(CanaryganError, match=r"take --esn\.precision 64"):
        ESN(units=300, ridge=SINGLE, precision="32").fit(same, parameters=short)
    fitted = ESN(units=300, ridge=SINGLE).fit(same, parameters=short)
    double = ESN(units=300, ridge=SINGLE, precision="64").fit(same, parameters=short)
    np.testing.assert_array_equal(fitted.posteriors(syllables), double.posteriors(syllables))


def test_sums_join(series: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = np.array([0, 1, 0, 1, 1])
    pool = draw_reservoir(100, SCALING, **DRAW)
    whole = readout.sum_states(pool, series, np.eye(2)[targets], np.arange(5))
    monkeypatch.setattr(readout, "BATCH", 2)
    first = readout.sum_states(pool, series, np.eye(2)[targets], np.array([0, 1, 2]), centre=whole.centre)
    rest = readout.sum_states(pool, series, np.eye(2)[targets], np.array([3, 4]), centre=whole.centre)
    for one, other in zip((first + rest).solve(0.1), whole.solve(0.1), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_policies_on_a_known_readout() -> None:
    outputs = torch.tensor([[[0.2, 0.1]], [[0.3, 0.9]], [[0.8, 0.0]]])  # 3 frames, 1 clip, 2 classes
    np.testing.assert_allclose(readout.reduce_frames(outputs, "argmax"), [[0.3, 0.9]])
    np.testing.assert_allclose(readout.reduce_frames(outputs, "max"), [[0.8, 0.9]])
    np.testing.assert_allclose(readout.reduce_frames(outputs, "mean"), [[1.3 / 3, 1 / 3]])
    np.testing.assert_allclose(readout.reduce_frames(outputs, "sum"), [[1.3, 1.0]])


@pytest.mark.parametrize("policy", ["argmax", "max", "mean", "sum"])
def test_outputs_follow_the_policy(series: np.ndarray, policy: str) -> None:
    pool = draw_reservoir(100, SCALING, **DRAW)
    rng = np.random.default_rng(2)
    weights, bias = torch.tensor(rng.normal(size=(100, 3))), torch.tensor(rng.normal(size=3))
    outputs = pool.compute_states(series) @ weights + bias
    result = readout.compute_scores(pool, weights, bias, series, policy)
    np.testing.assert_allclose(result, readout.reduce_frames(outputs, policy), atol=1e-9)


def test_given_reservoirs(tmp_path, series: np.ndarray, syllables, short) -> None:
    rng = np.random.default_rng(1)
    arrays = {"W": 0.05 * rng.normal(size=(40, 40)), "Win": rng.normal(size=(40, 26)), "bias": rng.normal(size=40)}
    np.savez(tmp_path / "r.npz", **arrays)
    fitted = ESN(reservoirs=tmp_path / "r.npz").fit(syllables, parameters=short)
    np.testing.assert_allclose(fitted.state["recurrent"], arrays["W"], rtol=1e-6)
    np.savez(tmp_path / "bad.npz", W=arrays["W"], Win=arrays["Win"][:, :3], bias=arrays["bias"])
    with pytest.raises(CanaryganError, match=r"Win \(40, 3\)"):
        ESN(reservoirs=tmp_path / "bad.npz").fit(syllables, parameters=short)
    np.savez(tmp_path / "none.npz", W=arrays["W"])
    with pytest.raises(CanaryganError, match="Win, bias is missing"):
        ESN(reservoirs=tmp_path / "none.npz").fit(syllables, parameters=short)
