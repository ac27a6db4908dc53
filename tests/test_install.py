"""The wheel in an empty environment, far from the repository: it holds every program and the shipped configuration."""

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from helpers import ROOT, picture
from processes import LIMIT

from sr.cli.version import PACKAGES
from sr.pictures.reading import read_header
from sr.pictures.writing import write_png
from sr.zoo.shipped import DEFAULT, net_names

pytest.importorskip("hatchling", reason="the extra dev has what builds the wheel")
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
IN_THE_WHEEL = (".py", ".html", ".css", ".js", ".safetensors", ".md")  # of the folder sr
QUICK = [
    *("experiment=quickstart", "logger=csv", "trainer.accelerator=cpu", "trainer.precision=32-true"),
    *("data.num_images=2", "data.image_size=64", "data.hr_patch_size=32", "data.batch_size=1"),
    *("data.num_workers=0", "data.iterations_per_epoch=1", "trainer.max_steps=1"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel, and nothing else but the packages that it needs."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*pip, *build], check=True, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "env"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True, cwd=folder)
    (packages,) = environment.glob("lib/python*/site-packages")
    # Folders that a .pth file names are searched, but their own .pth files are not read: not that of the repository.
    needed = [each for each in sys.path if each.endswith("site-packages")]
    (packages / "needed.pth").write_text("\n".join(needed))
    return environment


def call(installed: Path, name: str, *arguments: str, cwd: Path) -> str:
    """What a program prints on both its outputs; it has to end well."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(installed / "bin" / name), *arguments],
        cwd=cwd,
        env=inherited,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_nothing_comes_from_the_repository(installed: Path, tmp_path: Path) -> None:
    where = "import sr.cli.shipped as s; print(s.__file__, s.shipped_configuration())"
    code, conf = call(installed, "python", "-c", where, cwd=tmp_path).split()
    assert Path(code).is_relative_to(installed)
    assert Path(conf).is_relative_to(installed)
    shipped, ours = (
        {file.relative_to(root): file.read_bytes() for file in root.rglob("*.yaml")}
        for root in (Path(conf), ROOT / "conf")
    )
    assert shipped == ours
    root = Path(code).parents[1]
    code_files, our_files = (
        {file.relative_to(each) for file in each.rglob("*") if file.suffix in IN_THE_WHEEL}
        for each in (root, ROOT / "sr")
    )
    assert code_files == our_files


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_program_says_its_version_and_helps(installed: Path, name: str, tmp_path: Path) -> None:
    printed = call(installed, name, "--version", cwd=tmp_path)
    assert [line.split()[0] for line in printed.splitlines()] == [*PACKAGES, "python", "system"]
    assert f" {sys.version.split()[0]}\n" in printed
    helped = call(installed, name, "--help", cwd=tmp_path)
    assert f"{name} " in helped
    assert "python train.py" not in helped and "python evaluate.py" not in helped
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_every_program_does_its_work(installed: Path, tmp_path: Path) -> None:
    for number in range(2):
        write_png(tmp_path / "photos" / f"{number}.png", picture(64, 72, seed=number))
    assert "data.hr_patch_size=32" in call(
        installed, "sr-check", "photos", "data.hr_patch_size=32", cwd=tmp_path
    )
    packed = call(installed, "sr-pack", "photos", "--out", "shards", cwd=tmp_path)
    assert "next: sr-train data=shards data.url=" in packed
    call(
        installed, "sr-preview", "hr_dir=photos", "count=1", "hr_patch_size=32", "out_dir=seen", cwd=tmp_path
    )
    assert read_header(tmp_path / "seen" / "sheet.png").width > 64
    trained = call(installed, "sr-train", *QUICK, "hydra.run.dir=run", cwd=tmp_path)
    assert "next: sr-evaluate ckpt=run/checkpoints/last.ckpt" in trained
    assert (tmp_path / "run" / "train.log").is_file()
    swept = call(installed, "sr-train", "-m", *QUICK, "seed=1,2", "hydra.sweep.dir=sweep", cwd=tmp_path)
    assert "sweep.csv" in swept
    given = ["ckpt=run/checkpoints/last.ckpt", "hr_dir=photos", "out_dir=numbers"]
    assert "psnr_y" in call(installed, "sr-evaluate", *given, cwd=tmp_path)
    assert (tmp_path / "numbers" / "report.html").is_file()
    given = ["--ckpt", "run/checkpoints/last.ckpt", "--out"]
    call(installed, "sr-export", *given, "net.safetensors", "--format", "safetensors", cwd=tmp_path)
    call(installed, "sr-upscale", "photos", "--ckpt", "net.safetensors", "--out", "large", cwd=tmp_path)
    assert read_header(tmp_path / "large" / "0.png").width == 72 * 4


def test_the_nets_of_the_package_are_at_hand(installed: Path, tmp_path: Path) -> None:
    listed = call(installed, "sr-upscale", "--list-nets", cwd=tmp_path)
    assert all(f"{name}  " in listed for name in net_names())
    if DEFAULT in net_names():
        write_png(tmp_path / "photo.png", picture(20, 24))
        assert DEFAULT in call(installed, "sr-upscale", "photo.png", "--out", "large", cwd=tmp_path)
        assert read_header(tmp_path / "large" / "photo.png").width == 24 * 4
