"""Weights & Biases that never asks for an account."""

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
        save_dir: the run directory; W&B makes its `wandb` folder in it.
        project: W&B project.
        name: name of the run there.
    """

    def __init__(self, *, save_dir: str, project: str, name: str) -> None:
        Path(save_dir).mkdir(
            parents=True, exist_ok=True
        )  # W&B falls back to a temporary folder where it is missing
        mode = os.environ.get("WANDB_MODE")
        offline = mode == "offline" if mode else not logged_in()
        # An offline run has nothing to say of itself but where it lies, which the end of the run says.
        settings = wandb.Settings(silent=True) if offline else None
        super().__init__(save_dir=save_dir, project=project, name=name, offline=offline, settings=settings)
        del wandb_settings(self)["anonymous"]  # Lightning passes what W&B has taken out, and W&B warns of it
        self._run_dir = Path(save_dir)

    def rewind(self, iteration: int) -> None:
        """Go on with the run that lies in the run directory; W&B keeps what it logged behind `iteration` too."""
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
    # W&B's own service takes the keys of api.wandb.ai, whatever address it goes by. (`wandb.setup()` would know more,
    # but fixes the mode before Lightning can say "offline".)
    urls = [own] if own else [wandb.Settings().base_url, "https://api.wandb.ai"]
    hosts = [urlparse(url).hostname for url in urls]
    return file.is_file() and any(netrc.netrc(file).authenticators(host) for host in hosts if host)
