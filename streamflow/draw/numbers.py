"""Numbers and reasons in words that a viewer understands."""

from __future__ import annotations

from streamflow.values import Frame, Motion, Status

INFINITE = 1e5  # what is farther, or later, is "∞"

REASONS = {
    Status.STATIC: "the camera stands still",
    Status.ROTATION: "the camera only turns",
    Status.PLANAR: "one plane, or too little parallax",
    Status.AMBIGUOUS: "two motions explain the flow",
    Status.LOW_CONFIDENCE: "too little evidence of the camera's motion",
    Status.MOVING: "no pixel is sure enough",
}


def when(frame: Frame) -> str:
    """Time of a frame, or its number."""
    return f"{float(frame.time):.2f} s" if frame.time is not None else f"frame {frame.index}"


def readable(value: float) -> str:
    """Three digits, never an exponent."""
    if not abs(value) < INFINITE:
        return "∞" if value > 0 else "-∞"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def reciprocals(low: float, high: float) -> tuple[str, str, str]:
    """1/value at the ends and in the middle of a range of inverse values."""
    ends = low, (low + high) / 2, high
    low_text, middle, high_text = (readable(1 / v if v > 1 / INFINITE else float("inf")) for v in ends)
    return low_text, middle, high_text


def reason(motion: Motion | None) -> str:
    """Why a pair has no depth."""
    return "the camera's motion was not computed" if motion is None else REASONS[motion.status]
