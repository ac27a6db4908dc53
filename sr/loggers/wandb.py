"""A Weights & Biases logger that never asks for an account."""

import netrc
import os
from pathlib import Path
from urllib.parse import urlparse

import wandb
from lightning.pytorch.loggers import WandbLogger

from sr.ops.private_lightning import wandb_settings


class OfflineFirstWandbLogger(WandbLogger):
    """Lightning's W&B logger, offline unless the user is logged in (or WANDB_MODE says otherwise).

    Args:
        save_dir: the run directory, in which W&B makes its folder `wandb`.
        project: the W&B project.
        name: the name of the run in the project.
    """

    def __init__(self, *, save_dir: str, project: str, name: str) -> None:
        Path(save_dir).mkdir(
            parents=True, exist_ok=True
        )  # W&B falls back to a temporary folder where it is missing
        mode = os.environ.get("WANDB_MODE")
        offline = mode == "offline" if mode else not logged_in()
        # All that W&B prints of an offline run is where its files are, which the run reports at its end.
        settings = wandb.Settings(silent=True) if offline else None
        super().__init__(save_dir=save_dir, project=project, name=name, offline=offline, settings=settings)
        del wandb_settings(self)[
            "anonymous"
        ]  # Lightning passes an argument that W&B has removed and warns of
        self._run_dir = Path(save_dir)

    def rewind(self, iteration: int) -> None:
        """Continue the run in the run directory; W&B keeps what was logged after `iteration` too."""
        latest = self._run_dir / "wandb" / "latest-run"  # a link to (offline-)run-<time>-<id>
        if latest.exists():
            number = latest.resolve().name.rsplit("-", 1)[1]
            wandb_settings(self).update(id=number, resume="allow")


def logged_in() -> bool:
    """Whether an API key is in the environment, or in the netrc file where `wandb login` puts it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    file = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    own = os.environ.get("WANDB_BASE_URL")
    # W&B's own service accepts the keys of api.wandb.ai at every address that it has. (`wandb.setup()` would know more,
    # but it fixes the mode before Lightning can choose "offline".)
    urls = [own] if own else [wandb.Settings().base_url, "https://api.wandb.ai"]
    hosts = [urlparse(url).hostname for url in urls]
    return file.is_file() and any(netrc.netrc(file).authenticators(host) for host in hosts if host)
