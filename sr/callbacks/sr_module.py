"""The module that a callback is called with."""

import lightning as L

from sr.training.base import SRModule


def sr_module(module: L.LightningModule) -> SRModule:
    """The same module, for hooks of callbacks, whose signatures are Lightning's. Raises TypeError for another kind."""
    if not isinstance(module, SRModule):
        raise TypeError(f"{type(module).__name__} is no SRModule, which this callback needs")
    return module
