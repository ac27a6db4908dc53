"""A program that takes train.py's place: it logs, ends as it is told, and needs no second."""

import textwrap
from pathlib import Path

import pytest

PROGRAM = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
settings = dict(each.split("=", 1) for each in sys.argv[1:])
folder = Path(settings["hydra.run.dir"].strip('"'))
x, length = float(settings["x"]), int(settings.get("length", 1))
with (folder / "metrics.csv").open("w") as file:
    file.write("step,val/psnr_y,train/adversarial\\n")
    for step in range(length):
        file.write(f"{step},{10 * x + step},{x * x}\\n")
        file.flush()
        time.sleep(0.0 if length == 1 else 0.05)
sys.exit(int(settings.get("status", 0)))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(textwrap.dedent(PROGRAM))
    return file
