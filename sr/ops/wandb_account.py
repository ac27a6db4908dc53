"""Whether there is an account of Weights & Biases to use."""

import netrc
import os
from pathlib import Path
from urllib.parse import urlparse


def logged_in() -> bool:
    """Whether an API key is in the environment, or in the netrc file where `wandb login` puts it."""
    import wandb  # here, because it takes a second to import

    if os.environ.get("WANDB_API_KEY"):
        return True
    file = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    own = os.environ.get("WANDB_BASE_URL")
    # W&B's own service accepts the keys of api.wandb.ai at every address that it has. (`wandb.setup()` would know more,
    # but it fixes the mode before Lightning can choose "offline".)
    urls = [own] if own else [wandb.Settings().base_url, "https://api.wandb.ai"]
    hosts = [urlparse(url).hostname for url in urls]
    return file.is_file() and any(netrc.netrc(file).authenticators(host) for host in hosts if host)
