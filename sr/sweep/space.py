"""Hydra's syntax for several values -> Optuna's distributions."""

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep

LOG = "log"


def split(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The overrides that all jobs share, and key -> Optuna's distribution for the others.

    `choice(a,b)` or `a,b`, `range(1,10)`, `interval(0.1,1)`, `int(interval(1,8))`, and `tag(log,interval(...))` on a
    logarithmic scale.

    Raises:
        ValueError: an override that cannot be searched; the message names it.
    """
    fixed, space = [], {}
    for override in OverridesParser.create().parse_overrides(list(arguments)):
        if override.is_sweep_override():
            try:
                space[override.get_key_element()] = _distribution(override)
            except ValueError as error:
                raise ValueError(f"{override.input_line}: {error}") from error
        else:
            assert override.input_line is not None
            fixed.append(override.input_line)
    if not space:
        raise ValueError(
            "hparams_search=optuna has nothing to search: give a key several values, such as"
            " 'optimizer_g.lr=tag(log,interval(1e-4,1e-2))'"
        )
    return fixed, space


def _distribution(override: Override) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value: Any = override.value()
    if not isinstance(value, ChoiceSweep | IntervalSweep | RangeSweep):
        raise ValueError("a search takes choice, interval and range; write the choices out")
    known = {LOG} if isinstance(value, IntervalSweep) else set()
    if unknown := ", ".join(sorted(value.tags - known)):
        raise ValueError(f"tag {unknown}: choose from {LOG}, of an interval")
    if isinstance(value, ChoiceSweep):
        pairs = zip(override.sweep_iterator(), override.sweep_string_iterator(), strict=True)
        # Numbers stay numbers in the study; anything else is stored as the command line spells it.
        return CategoricalDistribution(
            [each if isinstance(each, bool | int | float) else spelled for each, spelled in pairs]
        )
    if isinstance(value, IntervalSweep):
        whole = isinstance(value.start, int) and isinstance(value.end, int)
        kind: Any = IntDistribution if whole else FloatDistribution
        return kind(value.start, value.end, log=LOG in value.tags)
    steps = sorted(value.range())  # a range ends before its stop
    if not steps:
        raise ValueError("the range is empty")
    kind = IntDistribution if all(isinstance(each, int) for each in steps) else FloatDistribution
    return kind(steps[0], steps[-1], step=abs(value.step))
