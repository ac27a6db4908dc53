"""A program that takes train.py's place: it logs, ends as it is told, and needs no second."""

import sys
import textwrap
from pathlib import Path

import pytest

PROGRAM = """
import signal, sys, threading
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
settings = dict(each.split("=", 1) for each in sys.argv[1:])
folder = Path(settings["hydra.run.dir"].strip('"'))
x = float(settings["x"])
with (folder / "metrics.csv").open("w") as file:
    file.write(f"step,val/psnr_y,train/adversarial\\n0,{10 * x},{x * x}\\n")
if x < 0:
    threading.Event().wait()  # so a hopeless job never ends by itself
sys.exit(int(settings.get("status", 0)))
"""


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """The words that start it."""
    file = tmp_path / "program.py"
    file.write_text(textwrap.dedent(PROGRAM))
    return [sys.executable, str(file)]
