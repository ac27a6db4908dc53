"""A bias for every pair of pixels of a window, out of a table with one entry for each offset between them."""

from torch import Tensor


def pairwise_bias(table: Tensor, *, height: int, width: int) -> Tensor:
    """Spread the entries of a table of offsets over the pairs of pixels of a window.

    ((2*height - 1) * (2*width - 1), heads) -> (heads, height*width, height*width): for two pixels i and j the entry of
    the offset i - j, where the table counts offsets from the lowest one, row by row. This is what the published nets
    look up with `relative_position_index`. Copies and slices do it here, because the gradient of a lookup is an
    `index_put`, which is slow and which `torch.compile` may misorder (see `sr.archs.upsampling`).
    """
    heads = table.shape[1]
    rows = _by_pairs(table.reshape(2 * height - 1, (2 * width - 1) * heads), height)
    columns = rows.reshape(height * height, 2 * width - 1, heads).transpose(0, 1)
    pairs = _by_pairs(columns.reshape(2 * width - 1, height * height * heads), width)
    pairs = pairs.reshape(width, width, height, height, heads)
    return pairs.permute(4, 2, 0, 3, 1).reshape(heads, height * width, height * width)


def _by_pairs(line: Tensor, size: int) -> Tensor:
    """(2*size - 1, C) -> (size, size, C): at [i, j] the entry number i - j + size - 1 of the line."""
    # Copies of the line one after another, cut into rows that are longer by one: each row begins one entry later.
    copies = line.repeat(size + 1, 1)[: 2 * size * size]
    later = copies.reshape(size, 2 * size, -1)[:, :size]  # at [i, k] the entry number i + k
    return later.flip(1)
