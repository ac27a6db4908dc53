"""docs/extending.md as a new user would follow it: its files are written, its commands are run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import ROOT, picture
from processes import LIMIT

from sr.ops.trusted import trusted_packages
from sr.ops.weight_file import CheckpointError
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png
from sr.weights.generator import load_generator

GUIDE = (ROOT / "docs" / "extending.md").read_text()
# `path` on a line of its own, and the block below it.
FILES = dict(re.findall(r"^`((?:my_sr|conf)/[\w/.]+)`\n```\w+\n(.*?)^```", GUIDE, re.M | re.S))
BLOCKS = [block.splitlines() for block in re.findall(r"^```bash\n(.*?)^```", GUIDE, re.M | re.S)]
COMMANDS = [line for block in BLOCKS for line in block if not line.startswith("export ")]
PROGRAMS = {
    "train.py": [str(ROOT / "train.py")],
    "evaluate.py": [str(ROOT / "evaluate.py")],
    "sr-export": ["-m", "sr.commands.export"],
    "sr-upscale": ["-m", "sr.commands.upscale"],
}


def write_project(folder: Path) -> Path:
    for name, text in {**FILES, "my_sr/__init__.py": ""}.items():
        path = folder / "my_project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_png(folder / "photo.png", picture(20, 30))
    return folder


def follow(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the guide in a folder that holds `my_project`."""
    words = shlex.split(command)
    name, *arguments = words[1:] if words[0] == "python" else words
    return subprocess.run(
        [sys.executable, *PROGRAMS[name], *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"my_project{os.pathsep}{ROOT}", "WANDB_MODE": "offline"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def test_the_guide_has_one_of_each_part() -> None:
    groups = {Path(name).parts[1] for name in FILES if name.startswith("conf/")}
    assert groups == {
        *(
            "generator",
            "discriminator",
            "loss",
            "gan_loss",
            "degradation",
            "metric",
            "measure",
            "protocol",
            "data",
        ),
        *("optimizer", "scheduler", "callbacks", "experiment"),
    }
    assert len(COMMANDS) > 12


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which the last block was followed, and what each of its commands printed."""
    folder = write_project(tmp_path_factory.mktemp("guide"))
    printed = []
    for command in BLOCKS[-1]:
        done = follow(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        printed.append(done.stdout + done.stderr)
    return folder, printed


def test_a_run_of_own_parts_trains_resumes_starts_another_evaluates_exports_and_upscales(
    followed: tuple[Path, list[str]],
) -> None:
    folder, (trained, resumed, started, evaluated, exported, upscaled) = followed
    assert "generator my_sr.net.MyNet is not of sr.archs: evaluate.py reads its checkpoints with" in trained
    assert "hello after 8 iteration(s)" in trained
    assert re.search(
        r"next: python \S*evaluate\.py --config-dir \S+/my_project/conf ckpt=.*last\.ckpt .* \'trust=\[my_sr\]\'$",
        trained,
        re.M,
    )
    assert "resumes" in resumed and "hello after 12 iteration(s)" in resumed
    assert "MyNet starts from" in started
    assert "mae" not in evaluated  # evaluate.py has the protocol of the field unless another is chosen
    assert "psnr_y" in evaluated
    assert "MyNet x2" in exported
    assert "done: 1 upscaled" in upscaled
    assert read_image(folder / "upscaled" / "photo.png", channels=3).shape == (40, 60, 3)


def test_without_trust_the_words_are_named_and_nothing_is_imported(
    followed: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = followed
    monkeypatch.syspath_prepend(folder / "my_project")
    for file in ("runs/mine/checkpoints/last.ckpt", "my_net.safetensors"):
        with pytest.raises(
            CheckpointError,
            match=r"my_sr\.net\.MyNet is not in sr\.archs.*trust=\[my_sr\] for evaluate\.py, --trust my_sr for",
        ):
            load_generator(folder / file)
    assert not [name for name in sys.modules if name.split(".")[0] == "my_sr"]
    trained = load_generator(folder / "my_net.safetensors", trust=["my_sr"])
    assert (trained.scale, trained.channels) == (2, 3)


def test_trust_does_not_lead_out_of_the_package(
    followed: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = followed
    monkeypatch.syspath_prepend(folder / "my_project")
    (folder / "my_project" / "my_sr" / "doors.py").write_text(
        "import os\nfrom os import system\nfrom subprocess import Popen\n"
        "def make(): raise SystemExit('ran')\nclass Plain: pass\n"
    )
    (folder / "my_project" / "my_sr" / "torn.py").write_text("import not_installed\n")
    content = torch.load(folder / "runs/mine/checkpoints/last.ckpt", weights_only=True)
    for target, why in (
        ("my_sr.doors.make", "a function, not a class"),
        ("my_sr.doors.os", "a module, not a class"),
        ("my_sr.doors.os.system", r"there is no module my_sr\.doors\.os"),
        ("my_sr.doors.system", "a builtin_function_or_method, not a class"),
        ("my_sr.doors.Popen", r"is subprocess\.Popen, which is not in sr\.archs or my_sr"),
        ("my_sr.doors.Plain", r"is not a torch\.nn\.Module"),
        ("my_srx.net.MyNet", r"is not in sr\.archs or my_sr, and"),
        ("my_sr.torn.Net", r"my_sr\.torn needs not_installed, which is not installed here"),
    ):
        content["config"]["generator"] = {"_target_": target}
        torch.save(content, tmp_path / "evil.ckpt")
        with pytest.raises(CheckpointError, match=rf"evil\.ckpt: its generator is not built: .*{why}"):
            load_generator(tmp_path / "evil.ckpt", trust=["my_sr"])


def test_an_installed_package_can_declare_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declaration = re.search(r"^```toml\n\[project\.entry-points\.\"(.*?)\"\]\n(.*?)^```", GUIDE, re.M | re.S)
    assert declaration is not None
    group, line = declaration.groups()
    installed = tmp_path / "my_sr-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my_sr\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{group}]\n{line.replace(chr(34), '')}")
    assert trusted_packages("sr.archs", ["other"]) == ("sr.archs", "other")
    monkeypatch.syspath_prepend(tmp_path)
    assert trusted_packages("sr.archs", ["other"]) == ("sr.archs", "my_sr", "other")


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [line for block in BLOCKS[:-1] for line in block if "export " not in line]
)
def test_every_other_command_of_the_guide_runs(command: str, tmp_path: Path) -> None:
    done = follow(command, write_project(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
