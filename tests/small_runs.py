"""Small runs of train.py in a process of their own, to which something happens."""

import sys
from pathlib import Path

from helpers import small_gan
from processes import ROOT

# A prelude does something to the program, in each of its processes, which then runs as from the command line.
PROGRAM = """
import os, signal, sys
sys.path.insert(0, {root!r})
{prelude}
program = {root!r} + "/train.py"
exec(compile(open(program).read(), program, "exec"))
"""
SETTINGS = ("trainer.max_steps=8", "callbacks.checkpoints.every_n_iterations=1")


def command(run_dir: Path, prelude: str, *overrides: str) -> list[str]:
    settings = [each for each in small_gan(run_dir) if not each.startswith("run_dir")]
    program = run_dir.with_name(f"{run_dir.name}.py")
    program.write_text(PROGRAM.format(root=str(ROOT), prelude=prelude))
    return [sys.executable, str(program), *settings, f"hydra.run.dir={run_dir}", *overrides]
