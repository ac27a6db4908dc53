"""A trained net on this machine: device, precision, kinds of images, self-ensemble."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sr.ops.hardware import has_bf16
from sr.upscale.precisions import PRECISIONS

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
        precision: `bf16`, `fp32`, or `auto`, which is bf16 where the device has instructions for it.
        self_ensemble: average over the eight flips and quarter turns of the image (EDSR, Lim et al. 2017, sec. 3.5).
        report: a function that is called, once, when bf16 could not hold a value.
    """

    def __init__(
        self,
        *,
        net: nn.Module,
        scale: int,
        channels: int,
        device: torch.device,
        precision: str = "auto",
        self_ensemble: bool = False,
        report: Callable[[str], None] = print,
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"precision={precision} must be one of {', '.join(PRECISIONS)}")
        if precision == "auto":
            precision = "bf16" if has_bf16(device) else "fp32"
        self.net = net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.scale = scale
        self.channels = channels
        self.device = device
        self.precision = precision
        self.self_ensemble = self_ensemble
        self._report = report
        self._told = False

    def check(self, channels: int) -> None:
        """Raises ValueError if this net cannot enlarge images with that number of channels."""
        if channels != self.channels and (channels not in (1, 3) or self.channels not in (1, 3)):
            raise ValueError(f"the net is for {self.channels} channels, the image has {channels}")

    @torch.inference_mode()
    def __call__(self, tiles: Tensor, *, precision: str | None = None) -> Tensor:
        """Enlarge a batch; `precision` replaces that of the constructor. Raises NotFiniteError."""
        bf16 = (precision or self.precision) == "bf16"
        on_device = tiles.to(self.device)
        enlarged = self._run(on_device, bf16=bf16)
        if bf16 and not enlarged.isfinite().all():
            if not self._told:
                self._report("bf16 gave values that are not finite: such tiles are computed again in fp32")
                self._told = True
            enlarged = self._run(on_device, bf16=False)
        if not enlarged.isfinite().all():
            raise NotFiniteError(
                "the net gives values that are not finite, even in fp32: its weights may be broken"
            )
        return enlarged.cpu()

    def _run(self, tiles: Tensor, *, bf16: bool) -> Tensor:
        count, channels = tiles.shape[:2]
        if channels != self.channels:
            tiles = tiles.expand(-1, 3, -1, -1) if channels == 1 else tiles.reshape(-1, 1, *tiles.shape[2:])
        # Autocast and not weights in bf16, so that the sum with the upsampled input stays in fp32; without that,
        # compact nets would lose the last of 8 bits.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            enlarged = self._all_turns(tiles) if self.self_ensemble else self._forward(tiles)
        if channels == self.channels:
            return enlarged
        if channels == 1:
            return (enlarged * enlarged.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
        return enlarged.reshape(count, channels, *enlarged.shape[2:])

    def _forward(self, tiles: Tensor) -> Tensor:
        enlarged: Tensor = self.net(tiles.contiguous(memory_format=torch.channels_last))
        return enlarged.float()

    def _all_turns(self, tiles: Tensor) -> Tensor:
        total: Tensor | None = None
        for turns in range(4):
            for flip in (False, True):
                turned = torch.rot90(tiles.flip(3) if flip else tiles, turns, (2, 3))
                back = torch.rot90(self._forward(turned), -turns, (2, 3))
                back = back.flip(3) if flip else back
                total = back if total is None else total.add_(back)
        assert total is not None
        return total / 8
