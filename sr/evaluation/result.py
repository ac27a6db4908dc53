"""The result of an evaluation: what `metrics.json` holds, and what tables, pictures and report are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sr.evaluation.description import ProtocolDescription
from sr.metrics.quantity import Quantity

VERSION = 3  # raised whenever a reader of metrics.json has to change

ModelValues = Mapping[str, Mapping[str, float]]  # model -> metric -> value


@dataclass(frozen=True)
class Mean:
    """The mean of one metric over the images of a set.

    Attributes:
        value: the mean itself.
        interval: lower and upper end of its 95 % interval; None for a single image, and where a value is infinite.
    """

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Difference:
    """One model minus another, image by image.

    Attributes:
        first: the name of the model that is subtracted from.
        second: the name of the model that is subtracted.
        means: metric -> mean of the differences; None where it is not finite, as between two perfect images.
    """

    first: str
    second: str
    means: Mapping[str, Mean | None]


@dataclass(frozen=True)
class ImageResult:
    """One image, or one draw of it.

    Attributes:
        name: the path of the file inside its set without its ending, with several draws followed by `_0`, `_1`, ...
        values: model -> metric -> value.
        drawn: the record of the degradation, as `sr.degradations.record.Record.content` gives it; None where LR is
            not random.
    """

    name: str
    values: ModelValues
    drawn: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Group:
    """The images of a set for which a similar value of one parameter was drawn.

    Attributes:
        parameter: the name of what was drawn, as `first.blur.sigma_x`.
        label: the condition that the images meet, as `< 1.6`, `= Blur` or `none`.
        images: the number of images.
        means: model -> metric -> mean over these images.
    """

    parameter: str
    label: str
    images: int
    means: ModelValues


@dataclass(frozen=True)
class SetResult:
    """The results of one set.

    Attributes:
        originals: the number of HR images; several draws of one count once.
        means: model -> metric -> mean with its interval.
        differences: every model minus every later one.
        breakdown: the groups of every parameter side by side; empty where LR is not random.
        images: the images, the draws of one beside each other.
    """

    originals: int
    means: Mapping[str, Mapping[str, Mean]]
    differences: Sequence[Difference]
    breakdown: Sequence[Group]
    images: Sequence[ImageResult]


@dataclass(frozen=True)
class TradeoffPoint:
    """One step of an interpolation on one set.

    Attributes:
        alpha: 0 for the first net, 1 for the second.
        distortion: the mean of the metric on the distortion axis.
        perception: the mean of the metric on the perception axis.
    """

    alpha: float
    distortion: Mean
    perception: Mean


@dataclass(frozen=True)
class Tradeoff:
    """The distortion-perception curve of an interpolation between two nets.

    Attributes:
        distortion: the name of the metric on the distortion axis.
        perception: the name of the metric on the perception axis.
        sets: set -> points, alpha rising.
    """

    distortion: str
    perception: str
    sets: Mapping[str, Sequence[TradeoffPoint]]


@dataclass(frozen=True)
class Evaluation:
    """Everything that an evaluation found.

    Attributes:
        protocol: the description of how the numbers were made.
        checkpoints: name -> file of the weights; empty for the baseline alone.
        models: the names of the compared models in their order, the baseline last.
        quantities: metric -> what its values are.
        sets: set -> results.
        tradeoff: the curve of an interpolation; None where nothing was interpolated.
    """

    protocol: ProtocolDescription
    checkpoints: Mapping[str, str]
    models: Sequence[str]
    quantities: Mapping[str, Quantity]
    sets: Mapping[str, SetResult]
    tradeoff: Tradeoff | None = None

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics in the order of the tables."""
        return list(self.quantities)

    def content(self) -> dict[str, Any]:
        """The version number, then every field under its own name: what `metrics.json` holds."""
        return {"version": VERSION, **asdict(self)}
