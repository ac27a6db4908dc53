"""A trained net on this machine: device, precision, kinds of images, self-ensemble."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sr.ops.hardware import inference_layout
from sr.upscale.engines.engine import Engine
from sr.upscale.engines.in_torch import TorchEngine

# BT.601, by which the project turns colour into gray everywhere.
LUMA = (0.299, 0.587, 0.114)


class NotFiniteError(ArithmeticError):
    """The net gave values that are not finite, even in fp32."""


class Network:
    """Enlarges batches of tiles.

    (N, C, H, W) float32 in [0, 1] on the CPU -> (N, C, H*scale, W*scale) float32 on the CPU, not clamped. C is 1 or 3
    or the channels of the net. A net for colour sees gray three times, and the luma of its output is taken; a net for
    one channel sees red, green and blue one after the other.

    Args:
        net: the generator in evaluation mode.
        scale: its upscaling factor.
        channels: the number of channels of its input and output.
        device: the device that it runs on.
        engine: the engine that runs the net (`sr.upscale.engines`); None is torch in fp32. Torch in fp32 also computes
            all that has to be exact, and tiles whose result is not finite.
        self_ensemble: average over the eight flips and quarter turns of the image (EDSR, Lim et al. 2017, sec. 3.5).
        report: a function that is called, once, when the engine could not hold a value.
    """

    def __init__(
        self,
        *,
        net: nn.Module,
        scale: int,
        channels: int,
        device: torch.device,
        engine: Engine | None = None,
        self_ensemble: bool = False,
        report: Callable[[str], None] = print,
    ) -> None:
        self.net = net.to(device=device, memory_format=inference_layout(device))  # type: ignore[call-overload]
        self.scale = scale
        self.channels = channels
        self.device = device
        self.exact = TorchEngine(self.net, precision="fp32")
        self.engine: Engine = engine or self.exact
        self.self_ensemble = self_ensemble
        self._report = report
        self._told = False

    def check(self, channels: int) -> None:
        """Raises ValueError if this net cannot enlarge images with that number of channels."""
        check_channels(channels, net=self.channels)

    @torch.inference_mode()
    def __call__(self, tiles: Tensor, *, exact: bool = False) -> Tensor:
        """Enlarge a batch; `exact` computes in fp32, whatever the engine is. Raises NotFiniteError."""
        engine = self.exact if exact else self.engine
        on_device = tiles.to(self.device)
        enlarged = self._run(on_device, engine)
        if all_finite(enlarged):
            return enlarged.cpu()
        if engine is not self.exact:
            if not self._told:
                self._report(
                    f"{engine.title} gave values that are not finite: such tiles are computed again in fp32"
                )
                self._told = True
            enlarged = self._run(on_device, self.exact)
            if all_finite(enlarged):
                return enlarged.cpu()
        raise NotFiniteError(
            "the net gives values that are not finite, even in fp32: its weights may be broken"
        )

    def _run(self, tiles: Tensor, engine: Engine) -> Tensor:
        count, channels = tiles.shape[:2]
        tiles = in_channels(tiles, self.channels)
        enlarged = _all_turns(tiles, engine) if self.self_ensemble else engine(tiles)
        if channels == self.channels:
            return enlarged
        if channels == 1:
            return (enlarged * enlarged.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
        return enlarged.reshape(count, channels, *enlarged.shape[2:])


def all_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite. Their sum tells it in a tenth of the time, except that it may overflow."""
    return bool(values.sum().isfinite()) or bool(values.isfinite().all())


def check_channels(channels: int, *, net: int) -> None:
    """Raises ValueError if a net for `net` channels cannot enlarge images with that number of channels."""
    if channels != net and (channels not in (1, 3) or net not in (1, 3)):
        raise ValueError(f"the net is for {net} channels, the image has {channels}")


def in_channels(tiles: Tensor, channels: int) -> Tensor:
    """(N, C, H, W) as a net for that number of channels sees it: gray three times, or colours one after the other."""
    if tiles.shape[1] == channels:
        return tiles
    if tiles.shape[1] == 1:
        return tiles.expand(-1, 3, -1, -1)
    return tiles.reshape(-1, 1, *tiles.shape[2:])


def _all_turns(tiles: Tensor, engine: Engine) -> Tensor:
    total: Tensor | None = None
    for turns in range(4):
        for flip in (False, True):
            turned = torch.rot90(tiles.flip(3) if flip else tiles, turns, (2, 3))
            back = torch.rot90(engine(turned), -turns, (2, 3))
            back = back.flip(3) if flip else back
            total = back if total is None else total.add_(back)
    assert total is not None
    return total / 8
