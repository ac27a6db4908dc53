"""How alike channels are, for attention that mixes channels instead of pixels."""

from torch import Tensor
from torch.linalg import vector_norm

_SMALLEST_NORM = 1e-12


def cosines(query: Tensor, key: Tensor) -> Tensor:
    """The cosine of the angle between each channel of one and each of the other, over the pixels.

    (..., C, pixels) twice -> (..., C, C). The products are divided by the lengths, and not the channels before them:
    that is the same, and nothing as large as the picture has to be kept for the backward pass.
    """
    lengths = vector_norm(query, dim=-1).clamp(min=_SMALLEST_NORM)[..., :, None]
    others = vector_norm(key, dim=-1).clamp(min=_SMALLEST_NORM)[..., None, :]
    found: Tensor = query @ key.mT / lengths / others
    return found
