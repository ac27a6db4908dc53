"""docs/wandb_sweep.yaml with W&B's own agent, whose server is replaced: what it runs is what train.py takes."""

import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import pytest
import wandb
import yaml
from helpers import ROOT, compose_config
from wandb.apis.public import sweeps
from wandb.wandb_agent import Agent

SWEEP = ROOT / "docs" / "wandb_sweep.yaml"
PROGRAM = """
import json, os, sys
line = {"arguments": sys.argv[1:], "run": os.environ["WANDB_RUN_ID"]}
with open({out!r}, "a") as file:
    file.write(json.dumps(line) + chr(10))
"""


def test_the_sweep_file_searches_numbers_of_keys_that_exist() -> None:
    sweep = yaml.safe_load(SWEEP.read_text())
    assert sweep["program"] == "train.py"
    low, high = (sweep["parameters"]["optimizer_g.lr"][end] for end in ("min", "max"))
    assert 0 < low < high  # as numbers: YAML reads 1e-4 as text
    assert sweep["metric"] == {"name": "val/psnr_y", "goal": "maximize"}
    compose_config("experiment=quickstart", *(f"{key}=0.01" for key in sweep["parameters"]))


def test_an_agent_runs_the_program_with_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, program = tmp_path / "lines.json", tmp_path / "program.py"
    program.write_text(PROGRAM.replace("{out!r}", repr(str(out))))
    text = SWEEP.read_text().replace("${interpreter}", sys.executable)  # the agent takes `python` of the path
    drawn = [
        {"optimizer_g.lr": 0.003, "model.gan_weight": 0.1},
        {"optimizer_g.lr": 0.0001, "model.gan_weight": 0.02},
    ]
    commands = [
        {
            "type": "run",
            "run_id": f"run{n}",
            "program": str(program),
            "args": {k: {"value": v} for k, v in each.items()},
        }
        for n, each in enumerate(drawn)
    ]

    def heartbeat(api: Any, agent: str, metrics: Any, running: dict[str, bool]) -> list[dict[str, Any]]:
        if running:
            return []
        return [commands.pop(0) if commands else {"type": "exit"}]

    monkeypatch.setattr(sweeps, "_sweep_with_runs", lambda api, sweep, specs: {"config": text})
    monkeypatch.setattr(sweeps, "_register_agent", lambda api, host, sweep_id: {"id": "agent"})
    monkeypatch.setattr(sweeps, "_agent_heartbeat", heartbeat)
    monkeypatch.setattr(wandb, "Api", lambda: None)
    monkeypatch.setattr(Agent, "POLL_INTERVAL", 0.1)
    for name in ("WANDB_DIR", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH"):
        monkeypatch.setenv(name, str(tmp_path))  # the agent sets them for good
    monkeypatch.setenv("WANDB_SWEEP_ID", "ab12")
    Agent(None, multiprocessing.Queue(), sweep_id="ab12").run()

    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["run"] for line in lines] == ["run0", "run1"]
    for line, values in zip(lines, drawn, strict=True):
        cfg = compose_config(*line["arguments"])
        assert cfg.name == "quickstart"
        assert (cfg.optimizer_g.lr, cfg.model.gan_weight) == (
            values["optimizer_g.lr"],
            values["model.gan_weight"],
        )
