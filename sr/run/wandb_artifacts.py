"""Weights that are versions of a Weights & Biases artifact: `init_from=wandb:entity/project/name:best`."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sr.ops.file_lock import lock
from sr.ops.wandb_account import logged_in
from sr.zoo.shipped import weights_path

log = logging.getLogger(__name__)

PREFIX = "wandb:"
FORM = f"{PREFIX}entity/project/name:version, such as {PREFIX}me/super-resolution/quickstart-ab12cd34:best"
NAME = re.compile(r"[\w.-]+/[\w.-]+/[\w.-]+:[\w.-]+", re.ASCII)
SUFFIXES = (".ckpt", ".pth", ".pt", ".safetensors")


class ArtifactError(RuntimeError):
    """An artifact that cannot be had."""


def is_artifact(text: str) -> bool:
    """Whether a root key names an artifact and no file."""
    return text.startswith(PREFIX)


def artifact_of(text: str) -> str:
    """`entity/project/name:version` of a root key. Raises ValueError where the text has another form."""
    name = text.removeprefix(PREFIX)
    if not NAME.fullmatch(name):
        raise ValueError(f"{text} is no artifact: write {FORM}")
    return name


def local_file(text: str, folder: Path) -> Path:
    """The file of weights that a root key names: a path, a net in the package, or an artifact after its download.

    Args:
        text: a path, the name of a net (`sr.zoo.shipped`), or `wandb:entity/project/name:version`.
        folder: the directory for downloads; processes that share it wait for each other.

    Raises:
        ArtifactError: the artifact is not there, cannot be downloaded, or has not exactly one file of weights.
    """
    return _download(artifact_of(text), folder) if is_artifact(text) else weights_path(text)


def _download(name: str, folder: Path) -> Path:
    import wandb  # here, because it takes a second to import

    if not logged_in():  # where there is a terminal, W&B would ask for a key
        raise ArtifactError(f"{PREFIX}{name} is on a server of W&B, which needs an account: wandb login")
    try:
        artifact = wandb.Api().artifact(name)
        target = folder / str(artifact.name).replace(":", "-")
        with _one_at_a_time(folder):
            artifact.download(root=str(target))  # files that are there already are compared and kept
    except (wandb.Error, ValueError, OSError) as error:
        raise ArtifactError(f"{PREFIX}{name} cannot be downloaded: {error}") from error
    files = sorted(path for path in target.rglob("*") if path.suffix in SUFFIXES)
    if len(files) != 1:
        found = ", ".join(path.name for path in files) or "none"
        raise ArtifactError(
            f"{PREFIX}{name} must hold one file of weights ({', '.join(SUFFIXES)}); found: {found}"
        )
    log.info("%s%s is %s, which is in %s", PREFIX, name, artifact.qualified_name, target)
    return files[0]


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".downloading").open("w") as file:
        try:
            lock(file, wait=True)
        except (
            OSError
        ) as error:  # W&B's own cache replaces files as a whole, so at worst two download the same
            log.warning("%s: several processes may download at once (%s)", folder, error)
        yield
