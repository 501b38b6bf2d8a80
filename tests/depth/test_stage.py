"""What the depth stage believes of a flow."""

import numpy as np

from streamflow.depth.stage import DepthStage, Measurement
from streamflow.options import Options
from streamflow.values import Flow, Frame, FramePair, Motion, Status, Translation, Unknown
from tests.support.scenes import SHAPE, K, flow_of, room


def test_where_there_is_no_texture_a_sure_flow_is_not_believed():
    """A codec leaves smooth asphalt still, and every candidate of the flow agrees on that."""
    T = np.array([0.6, 0.0, 0.8])
    rho = room().max(axis=0)
    sigma, smin = np.full(SHAPE, 0.05, np.float32), np.full(SHAPE, 20, np.float32)
    smin[60:, :80] = 0.05
    frames = [Frame(index, np.zeros((*SHAPE, 3), np.uint8)) for index in (0, 1)]
    flow = Flow(flow_of(rho, np.eye(3), T), sigma, smin)
    motion = Motion(Status.MOVING, np.eye(3), Translation(T, 1e-8 * np.eye(5), K @ T))
    stage = DepthStage(Options(fuse=False))
    depth = stage(Measurement(FramePair(frames[1], frames[0]), flow, motion), None, K)
    assert (depth.unknown[60:, :80] & Unknown.NO_EVIDENCE).all()
    assert not (depth.unknown[:60] & Unknown.NO_EVIDENCE).any()
    off = np.abs(depth.inverse / rho - 1)[:60]
    assert np.nanmedian(off) < 1e-3
