"""What a run lacks is said at once, and together."""

from pathlib import Path

import pytest
from helpers import ROOT, compose_config, run_program, write_vgg

from sr.programs import at_hand
from sr.programs.at_hand import check_at_hand


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(url: str) -> None:
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(at_hand, "wait_for_answer", unreachable)


def test_everything_is_named_together(tmp_path: Path) -> None:
    cfg = compose_config("data=paired", f"data.train_dir={tmp_path}/none", f"data.val_dir={tmp_path}")
    with pytest.raises(FileNotFoundError) as caught:
        check_at_hand(cfg)
    first, *lacking = str(caught.value).splitlines()
    assert first == "this run lacks:"
    assert lacking[0] == "  data.train_lr_dir is missing: write data.train_lr_dir=DIRECTORY"
    assert lacking[1] == f"  data.train_dir={tmp_path}/none does not exist: name a directory of images"
    assert lacking[2].startswith(
        f"  no VGG19 weights (loss.perceptual.loss.weights): {tmp_path}/torch/hub/checkpoints/vgg19-"
    )
    assert "(no network)" in lacking[2]
    assert len(lacking) == 3


def test_one_thing_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directories in (f"{tmp_path}/file", f"[{tmp_path},{tmp_path}/file]"):
        cfg = compose_config("data=folder", "loss=l1", f"data.train_dir={directories}")
        with pytest.raises(FileNotFoundError, match=r"^data\.train_dir=\S+/file is not a directory: name a"):
            check_at_hand(cfg)


def test_what_is_at_hand_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_at_hand(compose_config("loss=l1"))
    check_at_hand(compose_config("experiment=quickstart"))
    given = write_vgg(tmp_path / "vgg.pth")
    check_at_hand(compose_config(f"loss.perceptual.loss.weights={given}"))
    monkeypatch.setattr(at_hand, "wait_for_answer", lambda url: None)  # there is a network
    check_at_hand(compose_config())


def test_the_weights_in_the_cache_need_no_network(tmp_path: Path) -> None:
    (tmp_path / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    write_vgg(tmp_path / "torch" / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth")
    check_at_hand(compose_config())


def test_a_first_command_says_it_before_anything_large_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['sr-train', 'data=folder', 'loss=l1']\n"
        "from sr.commands.train import main\n"
        "try:\n    main()\nfinally:\n    print({'torch', 'lightning', 'numpy'} & set(sys.modules))"
    )
    done = run_program("-c", code, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert done.stderr.startswith("error: data.train_dir is missing: write data.train_dir=DIRECTORY\n")
    assert done.stdout == "set()\n"
