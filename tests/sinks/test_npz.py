"""npz: every map and every number that was found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sinks import open_sink
from sinks.read import (
    read_npz,
)
from streamflow.geometry.focal_error import motion_covariance
from streamflow.values import Looming, Unknown
from tests.support.made_results import K, make_results, make_run, write_all


def test_everything_as_npz():
    results = make_results()
    write_all(open_sink("npz:out", make_run()), results)
    result, found = results[2], read_npz("out/frame_000003.npz")
    assert (found["index"], found["reference"], found["target"], found["time"]) == (3, 3, 2, 0.12)
    assert (found["status"], found["depth_unit"], found["contact_unit"]) == ("moving", "steps", "s")
    for name, expected in {
        "flow": result.flow.vectors,
        "sigma": result.flow.sigma,
        "smin": result.flow.smin,
        "rotation": result.motion.rotation,
        "translation": result.motion.translation.direction,
        "epipole": result.motion.translation.epipole,
        "inverse_depth": result.depth.inverse,
        "variance": result.depth.variance,
        "unknown": result.depth.unknown,
        "contact": result.depth.time_to_contact,
        "K": K,
    }.items():
        np.testing.assert_array_equal(found[name], expected, err_msg=name)
    assert (found["unknown"][:, -1] == Unknown.OUTSIDE).all()
    covariance = motion_covariance(result.motion, result.focal_sigma)
    np.testing.assert_array_equal(found["motion_covariance"], covariance)
    assert (found["plane_map"] == 0).sum() == results[2].planes[0].mask.sum()
    assert found["plane_label"].tolist() == [3]
    assert found["plane_name"].tolist() == ["ground"]
    np.testing.assert_array_equal(found["plane_parameters"], [result.planes[0].parameters])


def test_npz_holds_everything_that_was_found():
    """Derivatives, the smoothed motion, alternatives, looming and pose too."""
    (result,) = make_results()[:1]
    other = replace(result.motion, rotation=None, translation=None)
    looming = Looming(1.5, result.planes[0].mask), Looming(2.5, ~result.planes[0].mask)
    motion = replace(result.motion, alternatives=(result.motion, other))
    plane = replace(result.planes[0], alternative_normal=np.array([1.0, 0, 0]), normal=None)
    smoothed = replace(result.motion, rotation=np.eye(3))
    result = replace(result, motion=motion, smoothed=smoothed, looming=looming, planes=(plane,))
    write_all(open_sink("npz:out", make_run()), [result])
    found = read_npz("out/frame_000001.npz")
    assert (found["starts_segment"], found["approach"], found["step"], found["threshmin"]) == (
        "start",
        25,
        1,
        0,
    )
    ix, iy, it = (found[name] for name in ("Ix", "Iy", "It"))
    for values in (ix, iy, it):
        assert values.shape == result.flow.sigma.shape
    earlier, later = (frame.grey.astype(float) for frame in (result.pair.target, result.pair.reference))
    assert np.corrcoef(it.ravel(), (earlier - later).ravel())[0, 1] > 0.8
    np.testing.assert_array_equal(found["smoothed_rotation"], np.eye(3))
    np.testing.assert_array_equal(found["pose"], result.pose)
    np.testing.assert_array_equal(found["alternative_rotation"][0], result.motion.rotation)
    assert np.isnan(found["alternative_translation"][1]).all()
    assert found["looming_time"].tolist() == [1.5, 2.5]
    np.testing.assert_array_equal(found["looming_map"], np.where(looming[0].mask, 0, 1))
    assert found["plane_alternative_normal"].tolist() == [[1, 0, 0]]
    assert np.isnan(found["plane_normal"]).all()


def test_npz_compressed_on_request_holds_the_same():
    results = make_results()[:1]
    write_all(open_sink("npz:plain", make_run()), results)
    write_all(open_sink("npz:small", replace(make_run(), compress=True)), results)
    plain, small = (Path(folder) / "frame_000001.npz" for folder in ("plain", "small"))
    assert small.stat().st_size < 0.7 * plain.stat().st_size
    np.testing.assert_equal(read_npz(small), read_npz(plain))


def test_npz_leaves_out_what_was_not_computed():
    bare = replace(make_results([None, None])[0], motion=None, depth=None, planes=None)
    write_all(open_sink("npz:out", make_run()), [bare])
    found = read_npz("out/frame_000001.npz")
    assert np.isnan(found["time"])
    assert np.isnan(found["interval"])
    assert not found.keys() & {"status", "inverse_depth", "plane_map"}


def test_npz_tells_what_is_not_the_scene():
    (result,) = make_results()[:1]
    excluded = np.zeros(result.flow.sigma.shape, np.bool_)
    excluded[:9] = True
    masked = replace(result, flow=replace(result.flow, excluded=excluded))
    write_all(open_sink("npz:out", make_run()), [masked])
    np.testing.assert_array_equal(read_npz("out/frame_000001.npz")["excluded"], excluded)
