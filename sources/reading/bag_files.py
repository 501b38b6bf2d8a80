"""Which files are ROS bags, and which topic of a bag is meant."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".bag", ".mcap", ".db3")
METADATA = "metadata.yaml"  # of a folder that is a bag of ROS 2


def is_bag(spec: str) -> bool:
    """Whether `spec` names a bag, with or without a topic."""
    return _may_be_bag(bag_and_topic(spec)[0])


def bag_and_topic(spec: str) -> tuple[str, str]:
    """Split "drive.mcap:/camera/image_raw" into the bag and the topic, which is empty if none is named."""
    path, _, topic = spec.rpartition(":")
    return (path, f"/{topic.lstrip('/')}") if _may_be_bag(path) and not Path(spec).exists() else (spec, "")


def bag_files(path: Path) -> tuple[str, ...]:
    """Files that the bag is made of."""
    return tuple(sorted(map(str, path.iterdir()))) if path.is_dir() else (str(path),)


def _may_be_bag(path: str) -> bool:
    return Path(path).suffix.lower() in SUFFIXES or (Path(path) / METADATA).is_file()
