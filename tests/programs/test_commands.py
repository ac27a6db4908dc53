"""Commands answer at once, and a program imports nothing that it does not use."""

import json
import shlex
import tomllib
from pathlib import Path

import pytest
from helpers import ROOT, run_program
from safetensors.torch import save_file

from sr.archs.srvgg import SRVGGNetCompact
from sr.cli.version import PACKAGES, version_text

SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
COMPOSED = ("sr-train", "sr-evaluate", "sr-preview")  # by Hydra
LARGE = {
    *(
        "torch",
        "lightning",
        "torchmetrics",
        "torchvision",
        "spandrel",
        "onnx",
        "wandb",
        "tensorboard",
        "optuna",
    ),
    *("numpy", "scipy", "cv2", "PIL", "skimage", "matplotlib", "albumentations", "tifffile", "imagecodecs"),
    *(
        "hydra",
        "omegaconf",
        "fsspec",
        "aiohttp",
        "requests",
        "jinja2",
        "gradio",
        "pandas",
        "safetensors",
        "tqdm",
    ),
}
# What upscaling decodes, computes and writes with.
OF_UPSCALING = {"torch", "numpy", "cv2", "PIL", "tifffile", "imagecodecs", "safetensors", "tqdm"}
# Runs a command and says which of LARGE it has imported.
ASK = """
import json, runpy, sys
name, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = name
try:
    runpy.run_module(name, run_name="__main__")
except SystemExit:
    pass
print(json.dumps(sorted({each.partition(".")[0] for each in sys.modules})), file=sys.stderr)
"""


def imported(module: str, *arguments: str) -> set[str]:
    done = run_program("-c", ASK, module, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return LARGE & set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_an_answer_imports_nothing_large(name: str, option: str) -> None:
    allowed = {"hydra", "omegaconf"} if name in COMPOSED else set()
    assert imported(SCRIPTS[name].partition(":")[0], option) <= allowed


# Prints how many functions Python calls for the help of a module; a time would depend on what else the machine does.
COUNTED = """
import cProfile, pstats, runpy, sys
module, sys.argv = sys.argv[1], sys.argv[1:]
profile = cProfile.Profile()
try:
    profile.runcall(runpy.run_module, module, run_name="__main__")
except SystemExit:
    pass
print(pstats.Stats(profile).total_calls, file=sys.stderr)
"""


@pytest.mark.parametrize("name", COMPOSED)
def test_the_help_of_a_composed_program_copies_no_search_path(name: str) -> None:
    """It takes 1.1 to 1.7 million calls; with Hydra's copies of its search path it would take 4.7 million more."""
    module = SCRIPTS[name].partition(":")[0]
    done = run_program("-c", COUNTED, module, "--help")
    assert "Usage" in done.stdout
    assert 100_000 < int(done.stderr.splitlines()[-1]) < 2_500_000


def test_upscaling_imports_what_it_uses(photos: Path, tmp_path: Path) -> None:
    net = tmp_path / "net.safetensors"
    save_file(SRVGGNetCompact(num_feat=4, num_conv=1, scale=2).state_dict(), net)
    given = [str(photos), "--ckpt", str(net), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert imported("sr.commands.upscale", *given) == OF_UPSCALING
    assert (tmp_path / "out" / "deep" / "c.png").is_file()


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        ([str(ROOT / "train.py")], f"python {shlex.quote(str(ROOT / 'train.py'))}"),
        (["-m", "sr.commands.train"], "sr-train"),
    ],
)
def test_the_usage_is_what_the_user_has_typed(started: list[str], shown: str) -> None:
    done = run_program(*started, "--help")
    assert f"  {shown} experiment=quickstart " in done.stdout


def test_the_version_is_one_line_for_each_thing_that_a_report_needs() -> None:
    names = [line.split()[0] for line in version_text().splitlines()]
    assert names == [*PACKAGES, "python", "system"]
    done = run_program(str(ROOT / "train.py"), "--version")
    assert done.stdout == f"{version_text()}\n"
