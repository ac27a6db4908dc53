"""Weights from an artifact. The server is replaced; the names, the files and the messages are real."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import wandb
from helpers import compose_config
from small_training import make

from sr.run import wandb_artifacts
from sr.run.preflight import check_files
from sr.run.wandb_artifacts import ArtifactError, artifact_of, is_artifact, local_file
from sr.run.warm_start import warm_start
from sr.training.psnr import PSNRModule

NAME = "wandb:me/super-resolution/quickstart-ab12:best"


class Server:
    """Has one artifact, and keeps what was asked for."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files = files
        self.asked: list[str] = []

    def __call__(self) -> "Server":
        return self

    def artifact(self, name: str) -> Any:
        self.asked.append(name)
        if "missing" in name:
            raise wandb.errors.CommError("artifact not found")
        versioned = "quickstart-ab12:v3"
        return SimpleNamespace(
            name=versioned, qualified_name=f"me/super-resolution/{versioned}", download=self.download
        )

    def download(self, root: str) -> str:
        Path(root).mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            torch.save(content, Path(root) / name)
        return root


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server({})
    monkeypatch.setattr(wandb, "Api", found)
    monkeypatch.setattr(wandb_artifacts, "logged_in", lambda: True)
    return found


def test_a_path_stays_a_path(tmp_path: Path) -> None:
    assert not is_artifact("runs/a.ckpt")
    assert local_file("runs/a.ckpt", tmp_path) == Path("runs/a.ckpt")


@pytest.mark.parametrize(
    "name", ["wandb:quickstart:best", "wandb:me/p/name", "wandb:", "wandb:me/p/na me:best"]
)
def test_a_name_of_another_form_is_refused_with_the_key_before_anything_is_asked(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no artifact: write wandb:entity/project/name:version"):
        artifact_of(name)
    with pytest.raises(ValueError, match=r"^init_from=wandb:"):
        check_files(compose_config(f"init_from='{name}'"))


def test_a_run_starts_from_the_weights_of_a_version(server: Server, tmp_path: Path) -> None:
    trained = make(PSNRModule)
    with torch.no_grad():
        for parameter in trained.generator.parameters():
            parameter.add_(1.0)
    server.files = {
        "model.ckpt": {"state_dict": {f"generator.{k}": v for k, v in trained.generator.state_dict().items()}}
    }
    model = make(PSNRModule)
    warm_start(
        model,
        init_from=NAME,
        init_discriminator_from=None,
        init_strict=True,
        generator={},
        downloads=tmp_path,
    )
    assert server.asked == ["me/super-resolution/quickstart-ab12:best"]
    for key, value in trained.generator.state_dict().items():
        assert torch.equal(model.generator.state_dict()[key], value), key
    assert (tmp_path / "quickstart-ab12-v3" / "model.ckpt").is_file()


@pytest.mark.parametrize(
    ("files", "found"),
    [({}, "found: none"), ({"a.ckpt": {}, "b.pth": {}}, "found: a.ckpt, b.pth")],
)
def test_an_artifact_must_have_one_file_of_weights(
    server: Server, tmp_path: Path, files: dict[str, Any], found: str
) -> None:
    server.files = files
    with pytest.raises(ArtifactError, match=f"must hold one file of weights .*{found}"):
        local_file(NAME, tmp_path)


def test_what_the_server_says_is_handed_on_with_the_key(server: Server, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"init_discriminator_from": None, "init_strict": True, "generator": {}}
    with pytest.raises(
        ArtifactError, match=r"^init_from: wandb:me/p/missing:v0 cannot be downloaded: artifact not"
    ):
        warm_start(make(PSNRModule), init_from="wandb:me/p/missing:v0", downloads=tmp_path, **settings)


def test_without_an_account_nobody_is_asked_for_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wandb_artifacts, "logged_in", lambda: False)
    monkeypatch.setattr(wandb, "Api", None)  # a call would be a TypeError
    with pytest.raises(ArtifactError, match="needs an account: wandb login"):
        local_file(NAME, tmp_path)
