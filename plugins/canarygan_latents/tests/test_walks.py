"""Regular grids of latents."""

import numpy as np
import pytest
from canarygan_latents.stimuli.walks import build_grid

from canarygan_core.errors import UsageError

LOW, HIGH = np.array([-1, -2, 0.0]), np.array([1, 2, 4.0])


def test_a_walk_goes_along_one_coordinate():
    latents, places = build_grid(LOW, HIGH, 5, [2], np.array([0.3, 9, 0.5]))
    np.testing.assert_allclose(latents[:, 1], [-2, -1, 0, 1, 2])
    np.testing.assert_allclose(latents[:, [0, 2]], [[0.3, 0.5]] * 5, rtol=1e-6)
    assert places.tolist() == [[0], [1], [2], [3], [4]]


def test_a_grid_has_each_combination_once():
    latents, places = build_grid(LOW, HIGH, 3, [1, 2, 3], np.zeros(3))
    assert len({row.tobytes() for row in latents}) == 27
    assert places[1].tolist() == [0, 0, 1]
    assert latents.min(0).tolist() == LOW.tolist()
    assert latents.max(0).tolist() == HIGH.tolist()
    wanted = [np.linspace(LOW[axis], HIGH[axis], 3)[places[:, axis]] for axis in range(3)]
    np.testing.assert_allclose(latents.T, wanted)


@pytest.mark.parametrize(
    ("count", "axes", "told"),
    [
        (1, [1], "at least 2 points"),
        (5, [4], "--axis 4: give each of 1 to 3"),
        (5, [0], "--axis 0"),
        (5, [1, 1], "--axis 1"),
        (50, [1, 2, 3], "125,000: 10,000 is the most"),
    ],
)
def test_what_is_no_grid_is_refused(count, axes, told):
    with pytest.raises(UsageError, match=told):
        build_grid(LOW, HIGH, count, axes, np.zeros(3))
