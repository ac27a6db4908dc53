"""RRDBNet, the generator of ESRGAN and Real-ESRGAN: residual-in-residual dense blocks without batch norm."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.lean_dense import lean_dense
from sr.archs.memory import run_block
from sr.archs.padding import next_multiple
from sr.archs.sizes import check_choice, check_scale, check_sizes
from sr.archs.upsampling import upsample_nearest

# Residual scaling (ESRGAN sec. 3.1): every branch enters its sum with a fifth of its strength.
_RESIDUAL_SCALE = 0.2
# Real-ESRGAN's nets enlarge by 4; for scales 1 and 2 they start from a smaller image with more channels.
_UNSHUFFLE = {1: 4, 2: 2}
_ENLARGE: dict[int, tuple[int, ...]] = {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
Memory = Literal["auto", "plain", "lean", "checkpoint"]


class RRDBNet(nn.Module):
    """The ESRGAN generator.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1.
    For scales 2 and 1 the pixels of the input are unshuffled by 2 and 4 first, so `conv_first` sees 4 and 16
    times `in_channels`; an image whose size does not divide is padded and its result cropped. `unshuffle=False`
    is the layout of 2018 instead, at full size with a single enlargement or none; from scale 3 on they are the same.

    Source: Wang et al., "ESRGAN", 2018, sec. 3.1; the unshuffled input: Wang et al., "Real-ESRGAN", 2021,
    sec. 3.4; a single enlargement by 3, as ESRGAN's first code had it, for scale 3. Parameter names are those of the
    published Real-ESRGAN checkpoints.

    `plus` is the generator of ESRGAN+ (Rakotonirina and Rasoanaivo, 2020, sec. 3.1, fig. 3), without the noise that it
    is trained with: every second convolution of a dense block has a residual of its own. Its published files have the
    names of 2018, which are translated.

    What training keeps in memory for the backward pass is a choice of `memory`, which changes results by no more than
    rounding: "plain" is what autograd keeps of its own accord, "lean" a quarter of it, and a little more with `plus`
    (see `sr.archs.lean_dense`), "checkpoint" the input of every block alone, whose forward pass runs twice. "auto" is
    "plain" here, and `sr-train` replaces it by what suits the free memory (docs/performance.md).

    Args:
        scale: the factor of enlargement, 1, 2, 3, 4 or 8.
        in_channels: channels of the input.
        out_channels: channels of the output.
        num_feat: channels between the blocks.
        num_block: the number of residual-in-residual dense blocks.
        num_grow_ch: channels that each convolution of a dense block adds.
        unshuffle: whether scales 1 and 2 work at a quarter and half the size, as in Real-ESRGAN.
        plus: whether the dense blocks have the residuals of ESRGAN+.
        memory: the part that is kept for the backward pass, "auto", "plain", "lean" or "checkpoint"; see above.

    Raises:
        ValueError: `scale` is not 1, 2, 3, 4 or 8, a `num_*` is below 1, or `memory` is not one of its
            choices.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_block: int = 23,
        num_grow_ch: int = 32,
        unshuffle: bool = True,
        plus: bool = False,
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat, num_block=num_block, num_grow_ch=num_grow_ch)
        check_scale(scale, _ENLARGE)
        check_choice("memory", memory, Memory)
        self.scale = scale
        self.unshuffle = _UNSHUFFLE.get(scale, 1) if unshuffle else 1
        self.conv_first = nn.Conv2d(in_channels * self.unshuffle**2, num_feat, 3, padding=1)
        sizes = {"num_feat": num_feat, "num_grow_ch": num_grow_ch}
        blocks = (RRDB(**sizes, lean=memory == "lean", plus=plus) for _ in range(num_block))
        self.memory = memory
        self.body = nn.Sequential(*blocks)
        self.conv_body = nn.Conv2d(num_feat, num_feat, 3, padding=1)
        self.enlarge = _ENLARGE[scale * self.unshuffle]
        # One by one and not in a list: the published files have conv_up1, conv_up2.
        for number in range(1, len(self.enlarge) + 1):
            self.add_module(f"conv_up{number}", nn.Conv2d(num_feat, num_feat, 3, padding=1))
        self.conv_hr = nn.Conv2d(num_feat, num_feat, 3, padding=1)
        self.conv_last = nn.Conv2d(num_feat, out_channels, 3, padding=1)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, lr: Tensor) -> Tensor:
        shallow = self.conv_first(self._unshuffled(lr))
        features = shallow + self.conv_body(self._deep(shallow))
        for number, factor in enumerate(self.enlarge, start=1):
            conv_up = getattr(self, f"conv_up{number}")
            features = self.activation(conv_up(upsample_nearest(features, scale=factor)))
        sr: Tensor = self.conv_last(self.activation(self.conv_hr(features)))
        if self.unshuffle == 1:
            return sr
        height, width = lr.shape[-2:]
        return sr[..., : height * self.scale, : width * self.scale]

    def _deep(self, features: Tensor) -> Tensor:
        for block in self.body:
            features = run_block(block, features, memory=self.memory)
        return features

    def _unshuffled(self, lr: Tensor) -> Tensor:
        if self.unshuffle == 1:
            return lr
        step = self.unshuffle
        height, width = (next_multiple(side, step) for side in lr.shape[-2:])
        # Replicated, not reflected, because a reflection needs an image larger than its padding. By a fixed number and
        # then cut, because ncnn has no layer whose padding follows from the size.
        padded = F.pad(lr, (0, step - 1, 0, step - 1), mode="replicate")
        return F.pixel_unshuffle(padded[..., :height, :width], step)


class RRDB(nn.Module):
    """Residual-in-residual dense block: three dense blocks, a scaled residual around them (ESRGAN fig. 4)."""

    def __init__(self, *, num_feat: int, num_grow_ch: int, lean: bool, plus: bool = False) -> None:
        super().__init__()
        self.rdb1 = ResidualDenseBlock(num_feat=num_feat, num_grow_ch=num_grow_ch, lean=lean, plus=plus)
        self.rdb2 = ResidualDenseBlock(num_feat=num_feat, num_grow_ch=num_grow_ch, lean=lean, plus=plus)
        self.rdb3 = ResidualDenseBlock(num_feat=num_feat, num_grow_ch=num_grow_ch, lean=lean, plus=plus)

    def forward(self, features: Tensor) -> Tensor:
        branch: Tensor = self.rdb3(self.rdb2(self.rdb1(features)))
        return features + _RESIDUAL_SCALE * branch


class ResidualDenseBlock(nn.Module):
    """Five convolutions, each seeing the input and all results before it; a scaled residual around them.

    `lean` is another way to the same result, see `sr.archs.lean_dense`. `plus` adds a 1 x 1 convolution of the input to
    the result of the second convolution, and that sum to the result of the fourth one (ESRGAN+, fig. 3).
    """

    def __init__(self, *, num_feat: int, num_grow_ch: int, lean: bool = False, plus: bool = False) -> None:
        super().__init__()
        self.lean = lean
        self.conv1x1 = nn.Conv2d(num_feat, num_grow_ch, 1, bias=False) if plus else None
        self.conv1 = nn.Conv2d(num_feat, num_grow_ch, 3, padding=1)
        self.conv2 = nn.Conv2d(num_feat + num_grow_ch, num_grow_ch, 3, padding=1)
        self.conv3 = nn.Conv2d(num_feat + 2 * num_grow_ch, num_grow_ch, 3, padding=1)
        self.conv4 = nn.Conv2d(num_feat + 3 * num_grow_ch, num_grow_ch, 3, padding=1)
        self.conv5 = nn.Conv2d(num_feat + 4 * num_grow_ch, num_feat, 3, padding=1)
        self.activation = nn.LeakyReLU(0.2)
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5):
            # A tenth of Kaiming's deviation: very deep residual nets train more easily so (ESRGAN sec. 3.1).
            nn.init.kaiming_normal_(conv.weight)
            with torch.no_grad():
                conv.weight.mul_(0.1)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)

    def forward(self, features: Tensor) -> Tensor:
        # Without gradients nothing is kept anyway, and exporters want operations that they know.
        branch = (
            self._lean_branch(features) if self.lean and features.requires_grad else self._branch(features)
        )
        return features + _RESIDUAL_SCALE * branch

    def _branch(self, features: Tensor) -> Tensor:
        if self.conv1x1 is not None:
            return self._plus_branch(features, residual=self.conv1x1(features))
        dense = features
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            dense = torch.cat((dense, self.activation(conv(dense))), dim=1)
        branch: Tensor = self.conv5(dense)
        return branch

    def _plus_branch(self, features: Tensor, *, residual: Tensor) -> Tensor:
        dense = features
        for number, conv in enumerate((self.conv1, self.conv2, self.conv3, self.conv4), start=1):
            result = self.activation(conv(dense))
            if number % 2 == 0:
                result = residual = result + residual
            dense = torch.cat((dense, result), dim=1)
        branch: Tensor = self.conv5(dense)
        return branch

    def _lean_branch(self, features: Tensor) -> Tensor:
        convs = (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5)
        return lean_dense(
            features,
            [conv.weight for conv in convs],
            [conv.bias for conv in convs if conv.bias is not None],
            None if self.conv1x1 is None else self.conv1x1(features),
        )
