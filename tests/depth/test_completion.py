"""Completed depth: what was measured stays, edges of the image hold, and its variance tells the error."""

import numpy as np
import pytest
from scipy.sparse import diags, identity
from scipy.sparse.linalg import spsolve

from sources import open_source
from streamflow.depth.completion import completed
from streamflow.depth.global_smoother import ROUNDS, smooth_globally
from streamflow.evaluation.truth import pair_truth
from streamflow.options import Options
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import Depth, Unknown

HEIGHT, WIDTH = 101, 167
FLAT = np.full((HEIGHT, WIDTH), 90, np.uint8)


def depth_of(inverse: np.ndarray, relative: float = 0.01) -> Depth:
    unknown = np.where(np.isnan(inverse), Unknown.NO_EVIDENCE, 0).astype(np.uint8)
    return Depth(inverse.astype(np.float32), ((relative * inverse) ** 2).astype(np.float32), unknown)


def test_holes_are_filled_from_around_and_marked_and_values_kept():
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    truth = 0.1 + 0.001 * x + 0.0005 * y
    inverse = truth.copy()
    inverse[30:50, 60:90] = np.nan
    filled = completed(depth_of(inverse), FLAT)
    hole = np.isnan(inverse)
    np.testing.assert_array_equal(filled.inverse[~hole], inverse[~hole])
    np.testing.assert_allclose(filled.inverse[hole], truth[hole], rtol=0.1)
    assert (filled.unknown[hole] == Unknown.FILLED | Unknown.NO_EVIDENCE).all()
    assert not filled.unknown[~hole].any()


def test_filling_stops_at_an_edge_of_the_image():
    guide, inverse = FLAT.copy(), np.full((HEIGHT, WIDTH), np.nan)
    guide[:, 80:] = 200
    inverse[20:80, 10:40], inverse[20:80, 120:150] = 0.1, 0.5
    filled = completed(depth_of(inverse), guide).inverse
    np.testing.assert_allclose(filled[:, 10:76], 0.1, rtol=0.02)
    np.testing.assert_allclose(filled[:, 86:], 0.5, rtol=0.02)


def test_a_doubtful_value_has_no_say_among_sure_ones():
    inverse = np.full((HEIGHT, WIDTH), 0.2)
    inverse[40:60, 60:80] = np.nan
    depth = depth_of(inverse)
    depth.inverse[30:36, 60:80], depth.variance[30:36, 60:80] = 2.0, 100.0
    np.testing.assert_allclose(completed(depth, FLAT).inverse[40:60, 60:80], 0.2, rtol=0.01)


def test_nothing_is_filled_from_nothing():
    nothing = depth_of(np.full((HEIGHT, WIDTH), np.nan))
    assert np.isnan(completed(nothing, FLAT).inverse).all()


def test_the_smoother_solves_its_equations():
    """The other route: each row, then each column, as a sparse system of its own."""
    rng = np.random.default_rng(5)
    guide, data = rng.integers(0, 256, (13, 17)).astype(np.uint8), rng.random((1, 13, 17)).astype(np.float32)

    def solved(lines: np.ndarray, guides: np.ndarray, strength: float) -> np.ndarray:
        found = []
        for line, of in zip(lines, guides.astype(float), strict=True):
            w = strength * np.exp(-np.abs(np.diff(of)) / 20.0)
            laplacian = diags([np.append(w, 0) + np.insert(w, 0, 0), -w, -w], [0, 1, -1])
            found.append(spsolve((identity(len(line)) + laplacian).tocsc(), line))
        return np.array(found)

    expected = data[0]
    for i in range(ROUNDS):
        share = 30.0 * 1.5 * 4 ** (ROUNDS - 1 - i) / (4**ROUNDS - 1)
        expected = solved(solved(expected, guide, share).T, guide.T, share).T
    np.testing.assert_allclose(smooth_globally(data, guide, 30.0, 20.0)[0], expected, rtol=1e-4)


@pytest.mark.parametrize("scene", ["oblique", "turning"])
def test_filled_depth_of_a_rendered_scene_is_within_its_error(scene):
    stages = frozenset({Stage.FLOW, Stage.MOTION, Stage.DEPTH})
    source = open_source(f"demo:{scene},size=317x211,frames=6")
    *_, result = results(source, stages, Options(fill=True))
    truth = pair_truth(result.pair)
    assert np.isfinite(result.depth.inverse).mean() > 0.99
    filled = (result.depth.unknown & Unknown.FILLED) > 0
    ratio = result.depth.inverse * truth.step / truth.inverse_depth
    ratio /= np.nanmedian(ratio[~filled])
    off = np.abs(ratio - 1) / (np.sqrt(result.depth.variance) / result.depth.inverse)
    assert np.nanmean(off[filled] < 2) > 0.85
    assert np.nanmedian(np.abs(ratio - 1)[filled]) < 0.1
