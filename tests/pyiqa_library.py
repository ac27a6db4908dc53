"""A stand-in for pyiqa that has its functions: the library needs a torchvision that fits torch."""

from types import ModuleType

from torch import Tensor, nn


class Mean(nn.Module):
    """A metric of pyiqa: with an original the difference of means, else the mean."""

    def __init__(self, mode: str, *, lower_better: bool) -> None:
        super().__init__()
        self.metric_mode, self.lower_better = mode, lower_better

    def forward(self, sr: Tensor, hr: Tensor | None = None) -> Tensor:
        return (sr.mean() - (0 if hr is None else hr.mean())).reshape(1, 1)


def stand_in_for_pyiqa() -> ModuleType:
    """A library of two metrics, one of them without an original."""
    metrics = {"musiq": Mean("NR", lower_better=False), "topiq_fr": Mean("FR", lower_better=True)}
    library = ModuleType("pyiqa")
    library.list_models = lambda: list(metrics)  # type: ignore[attr-defined]
    library.create_metric = lambda name, device: metrics[name]  # type: ignore[attr-defined]
    return library
