"""How the runs of a sweep are called in W&B."""

import csv
import sys
from pathlib import Path

import pytest
from helpers import compose_config, picture
from wandb_record import WandbRecord

from sr.cli.nodes import with_named_nodes
from sr.pictures.writing import write_png
from sr.sweep.job import run_job
from sr.sweep.run_names import LONGEST, environment, varied_overrides
from sr.sweep.wandb_summary import read_table, show_in_wandb

MULTIRUN = """
hydra:
  sweeper: {params: {seed: "0,1"}}
  overrides:
    task: [experiment=quickstart, "optimizer_g.lr=1e-3,1e-4", "data.weights=[1, 2]", "gan_loss=choice(a,b)"]
"""


def test_a_name_has_what_varies(tmp_path: Path) -> None:
    (tmp_path / "multirun.yaml").write_text(MULTIRUN)
    job = ["seed=1", "experiment=quickstart", "optimizer_g.lr=0.001", "data.weights=[1,2]", "gan_loss=a"]
    varied = varied_overrides(job, tmp_path)
    assert varied == ["seed=1", "optimizer_g.lr=0.001", "gan_loss=a"]
    found = environment(experiment="quickstart", sweep=tmp_path / "lr", number=3, varied=varied)
    assert found == {
        "WANDB_RUN_GROUP": "quickstart lr",
        "WANDB_JOB_TYPE": "job",
        "WANDB_NAME": "quickstart 3 seed=1 optimizer_g.lr=0.001 gan_loss=a",
    }


def test_without_the_record_of_the_sweep_all_overrides_are_the_name(tmp_path: Path) -> None:
    assert varied_overrides(["a=1", "b=2"], tmp_path) == ["a=1", "b=2"]


def test_nodes_are_named_as_typed_and_long_names_end(tmp_path: Path) -> None:
    (node,) = with_named_nodes(["degradation={a: 1}"])
    name = environment(experiment="n", sweep=tmp_path, number=0, varied=[node, f"x={'y' * 200}"])[
        "WANDB_NAME"
    ]
    assert name.startswith("n 0 degradation={a: 1} x=yyy")
    assert len(name) == LONGEST


def test_a_job_gets_its_names_unless_the_user_has_given_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\n"
        "folder = sys.argv[-1].split('=', 1)[1].strip('\"')\n"
        "open(folder + '/names', 'w').write(os.environ['WANDB_NAME'] + ' ' + os.environ['WANDB_RUN_GROUP'])\n"
    )
    monkeypatch.setenv("WANDB_RUN_GROUP", "mine")
    names = {"WANDB_NAME": "n 0", "WANDB_RUN_GROUP": "n sweep"}
    job = run_job(
        [sys.executable, str(program)], number=0, overrides=[], folder=tmp_path / "0", environment=names
    )
    assert job.status == "done"
    assert (tmp_path / "0" / "names").read_text() == "n 0 mine"


def test_the_summary_of_a_sweep_is_a_run_of_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_RUN_GROUP", raising=False)
    sweep = tmp_path / "lr"
    write_png(sweep / "sweep.png", picture(20, 30))
    with (sweep / "sweep.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["job", "lr", "status", "val/psnr_y"], ["0", "a", "done", "30.5"], ["1", "b", "failed", ""]]
        )
    cfg = compose_config(
        "experiment=quickstart", "logger=wandb", "logger.wandb.tags=[one]", "logger.wandb.log_model=all"
    )
    show_in_wandb(cfg, sweep, table=sweep / "sweep.csv", picture=sweep / "sweep.png")
    record = WandbRecord(sweep)
    assert (record.run.run_group, record.run.job_type) == ("quickstart lr", "summary")
    assert record.run.display_name == "quickstart lr summary"
    assert list(record.run.tags) == ["one"]
    (table,) = record.tables("sweep/jobs")
    assert table["columns"] == ["job", "lr", "status", "val/psnr_y"]
    assert table["data"] == [[0.0, "a", "done", 30.5], [1.0, "b", "failed", None]]
    assert (record.folder / "files" / record.summary()["sweep/picture.path"]).is_file()


def test_a_sweep_without_wandb_has_no_such_run(tmp_path: Path) -> None:
    (tmp_path / "sweep.csv").write_text("job\n0\n")
    cfg = compose_config("experiment=quickstart", "logger=csv")
    show_in_wandb(cfg, tmp_path, table=tmp_path / "sweep.csv", picture=tmp_path / "none.png")
    assert not (tmp_path / "wandb").exists()


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    (tmp_path / "sweep.csv").write_text("job,status\n")
    assert read_table(tmp_path / "sweep.csv") == (["job", "status"], [])
