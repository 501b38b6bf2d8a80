from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sinks write where they stand."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
