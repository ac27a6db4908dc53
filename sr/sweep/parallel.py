"""Parallel coordinates: the values of all parameters and objectives of a sweep, a line for each job."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from sr.sweep.results import BEST, FEW, OTHER, Results, better, short


def draw_parallel(axes: Axes, results: Results) -> None:
    """Parallel coordinates: a line for each job through its values, the best ones on top and in colour."""
    scales = [{job: parameter.place(job) for job in results.values} for parameter in results.parameters] + [
        {job: values[place] for job, values in results.values.items()}
        for place in range(len(results.objectives))
    ]
    best = results.best()
    for job in sorted(results.values, key=lambda job: job in best):
        heights = [_share(scale[job], scale) for scale in scales]
        colour, strength = (BEST, 1.0) if job in best else (OTHER, 0.35)
        axes.plot(
            range(len(scales)), heights, color=colour, alpha=strength, linewidth=1.8 if job in best else 1.2
        )
    for place, scale in enumerate(scales):
        axes.axvline(place, color="black", linewidth=0.8, zorder=3)
        for value, text in _ends(results, place, scale):
            last = place == len(scales) - 1
            axes.annotate(
                text,
                (place, _share(value, scale)),
                xytext=(-5 if last else 5, 0),
                textcoords="offset points",
                size=8,
                va="center",
                ha="right" if last else "left",
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
                zorder=4,
            )
    names = [short(parameter.name) for parameter in results.parameters]
    names += [f"{objective.metric}\n({better(objective)})" for objective in results.objectives]
    axes.set_xticks(range(len(scales)), names)
    axes.set_yticks([])
    axes.set_ylim(-0.06, 1.06)
    axes.spines[:].set_visible(False)
    axes.set_title(
        "Every line is a job; orange: " + ("the best" if len(best) == 1 else "beaten by none"), size=10
    )


def _ends(results: Results, place: int, scale: Mapping[int, float]) -> list[tuple[float, str]]:
    """The labels of an axis of the parallel coordinates: its ends, or its categories."""
    if place >= len(results.parameters):
        return [(value, f"{value:.5g}") for value in sorted({min(scale.values()), max(scale.values())})]
    parameter = results.parameters[place]
    if parameter.categories:
        return [(float(number), short(text)) for number, text in enumerate(parameter.categories)]
    values = sorted(set(parameter.numbers.values()))
    ends = values if len(values) <= FEW else [values[0], values[-1]]
    at = {parameter.numbers[job]: scale[job] for job in scale}
    return [(at[value], f"{value:.4g}") for value in ends]


def _share(value: float, scale: Mapping[int, float]) -> float:
    low, high = min(scale.values()), max(scale.values())
    return (value - low) / (high - low) if high > low else 0.5
