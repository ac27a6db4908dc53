from dataclasses import replace
from pathlib import Path

import pytest

from sr.cli.nodes import with_named_nodes
from sr.sweep.job import Job
from sr.sweep.pareto import Objective
from sr.sweep.report import finished, rows, text, write_csv

PSNR, ADVERSARIAL = Objective("val/psnr_y"), Objective("train/adversarial", "minimize")


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    made = []
    for number, status in enumerate(("done", "failed", "done", "pruned")):
        folder = tmp_path / str(number)
        folder.mkdir()
        if status != "failed":
            content = f"step,val/psnr_y,train/adversarial\n4,1,1\n9,{30 + number},0.{number}\n"
            (folder / "metrics.csv").write_text(content)
        made.append(Job(number, ("seed=0", f"lr={number}"), status, 1.6, folder))
    return made


def test_the_table_has_what_differs_and_the_last_values(jobs: list[Job]) -> None:
    table = rows(jobs, [PSNR, ADVERSARIAL])
    assert text(table, [PSNR, ADVERSARIAL]).splitlines() == [
        "job  lr  status  seconds  val/psnr_y  train/adversarial",
        "0    0   done    2        30          0",
        "1    1   failed  2",
        "2    2   done    2        32          0.2",
        "3    3   pruned  2        33          0.3",
    ]


def test_long_numbers_are_rounded_for_reading() -> None:
    row = {
        "job": "0",
        "lr": "0.004430375245218269",
        "net": "a_long_name_of_a_net",
        "status": "done",
        "seconds": "2",
    }
    assert text([row], []).splitlines()[1] == "0    0.0044304  a_long_name_of_a_net  done    2"


def test_the_csv_holds_the_same(jobs: list[Job], tmp_path: Path) -> None:
    write_csv(tmp_path / "sweep.csv", rows(jobs, [PSNR]), [PSNR])
    lines = (tmp_path / "sweep.csv").read_text().splitlines()
    assert lines[:3] == ["job,lr,status,seconds,val/psnr_y", "0,0,done,2,30", "1,1,failed,2,"]


def test_only_jobs_that_ended_well_are_compared(jobs: list[Job]) -> None:
    assert finished(jobs, [PSNR, ADVERSARIAL]) == {0: [30.0, 0.0], 2: [32.0, 0.2]}
    assert finished(jobs, [Objective("val/lpips")]) == {}
    (jobs[0].folder / "metrics.csv").write_text("step,val/psnr_y\n9,nan\n")
    assert finished(jobs, [PSNR]) == {2: [32.0]}


def test_a_node_is_shown_as_it_was_typed(jobs: list[Job]) -> None:
    (named,) = with_named_nodes(["degradation={a: 1}"])
    (row, _) = rows([replace(jobs[0], overrides=(named,)), jobs[1]], [PSNR])
    assert row["degradation"] == "{a: 1}"
