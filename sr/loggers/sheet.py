"""One validated image as a labelled picture, for files and for loggers that have no captions."""

from collections.abc import Mapping

import numpy as np

from sr.loggers.labelled import labelled
from sr.loggers.validated import Pictures, ValidatedImage, ValidatedSet


def sheet(found: ValidatedSet, image: ValidatedImage, pictures: Pictures) -> np.ndarray:
    """LR | bicubic | SR | HR with labels, (H, W, 3) uint8: the values are those of the monitored metric."""
    place = found.place(image)
    title = " · ".join(word for word in (image.name, f"iteration {found.iteration}", place) if word)
    columns = [
        ("LR", pictures.lr),
        (f"bicubic {_value(found, image.bicubic)}", pictures.bicubic),
        (f"SR {_value(found, image.values)}", pictures.sr),
        ("HR", pictures.hr),
    ]
    return labelled(title, columns)


def _value(found: ValidatedSet, values: Mapping[str, float]) -> str:
    """The monitored value; a unit speaks for itself, a value without one needs the name of its metric."""
    text = found.quantities[found.monitor].measured(values[found.monitor])
    return text if found.quantities[found.monitor].unit else f"{found.monitor} {text}"
