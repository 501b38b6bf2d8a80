"""What the README and docs/ promise is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from streamflow.cli.arguments import parse

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(
    r"^(?:\.venv/bin/)?python stream\.py (?!evaluate|doctor|warm)(.+?)(?:   .*)?$", re.MULTILINE
)


def name_of(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link.partition("#")[0]).exists()] == []


def test_the_first_picture_is_small():
    assert (ROOT / "docs/pictures/road.webp").stat().st_size < 1_000_000


@pytest.mark.parametrize("page", ["README.md", "docs/use.md"])
def test_commands_are_understood(page):
    commands = COMMAND.findall((ROOT / page).read_text())
    assert len(commands) >= 6
    for command in commands:
        parse([word for word in shlex.split(command) if word not in ("--camera", "calibration.yaml")])
