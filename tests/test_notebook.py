"""The notebook of the guides, run as it stands in an empty directory."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from helpers import ROOT
from nbclient import NotebookClient

NOTEBOOK = ROOT / "docs" / "first_steps.ipynb"


def test_it_is_kept_without_results() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells and all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.slow
def test_every_cell_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    texts = ["".join(each.get("text", "") for each in found) for found in outputs]
    pictures = [sum("image/png" in each.get("data", {}) for each in found) for found in outputs]
    assert "trained 2800 iterations" in texts[0]
    assert pictures == [0, 2, 0, 1, 0, 2, 0]
    assert "- bicubic" in texts[2]
    assert "1 upscaled, 0 skipped, 0 failed" in texts[4]
    assert "torch.Size([1, 3, 96, 128])" in texts[6]
