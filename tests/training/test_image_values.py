"""Values of images over processes: each image counts once, in the order of the set."""

import torch

from sr.training.image_values import ImageValues


def test_images_that_two_processes_have_count_once_and_in_order() -> None:
    shares = []
    for indices in (
        [0, 2],
        [1, 0],
    ):  # three images over two processes: the second fills up with the first image
        values = ImageValues()
        for index in indices:
            values.add(torch.tensor([index]), [torch.tensor([10.0 * index]), torch.tensor([index / 8])])
        shares.append(values)
    other = [torch.cat(share._rows) for share in shares]
    taken = shares[0].take(lambda own: torch.stack([own, other[1]]))
    assert taken.tolist() == [[0.0, 0.0], [10.0, 0.125], [20.0, 0.25]]
    shares[0].add(torch.tensor([4, 3]), [torch.tensor([1.0, 2.0])])  # begins anew
    assert shares[0].take(lambda own: own).tolist() == [[2.0], [1.0]]
