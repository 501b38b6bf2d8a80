"""The notebook in docs/ runs, and finds what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"
CELLS = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_runs_from_its_first_cell_to_its_last(capsys):
    mpl.use("agg")
    names: dict[str, Any] = {}
    for cell in CELLS:
        exec("".join(cell["source"]), names)
    plt.close("all")
    assert names["known"].mean() > 0.9
    assert np.median(names["error"]) < 0.03
    assert np.median(names["sigma"]) < 0.2
    assert names["turned"].motion.status == "rotation"
    assert not np.isfinite(names["turned"].depth.z).any()
    assert "median error" in capsys.readouterr().out


def test_the_notebook_is_kept_with_its_pictures():
    kinds = [kind for cell in CELLS for output in cell["outputs"] for kind in output.get("data", {})]
    assert kinds.count("image/png") == 2
    assert NOTEBOOK.stat().st_size < 500_000
