"""How much each parameter of a search decided over its result: Optuna's PED-ANOVA."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sr.ops.text_table import aligned
from sr.sweep.pareto import MAXIMIZE, Objective

STUDY = "study.db"
FEWEST = 10  # trials without which nothing can be said
BEST = 5  # trials at least that count as the best ones, as Optuna advises

Importance = Mapping[
    str, Mapping[str, float]
]  # objective -> parameter -> share, the largest first; they add up to 1


def importance(folder: Path, *, study_name: str | None, objectives: Sequence[Objective]) -> Importance:
    """The importance of the parameters for reaching the best results, for every objective.

    PED-ANOVA (Watanabe et al., IJCAI 2023) compares where the best trials lie with where all lie. It needs no library
    besides Optuna. The best ones are a tenth of the trials, but five at least.

    Args:
        folder: the directory of a search.
        study_name: the name of its study; None for the only one that it has.
        objectives: the objectives of the study, in its order.

    Returns:
        Empty where the directory has no study, and for an objective that fewer than `FEWEST` trials have a value of.
    """
    if not (folder / STUDY).is_file():
        return {}
    import optuna

    study = optuna.load_study(study_name=study_name, storage=f"sqlite:///{folder}/{STUDY}")
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    varied = sorted({key for trial in complete for key in trial.params})
    if len(complete) < FEWEST or not varied:
        return {}
    quantile = max(0.1, BEST / len(complete))
    found = {}
    for place, objective in enumerate(objectives):

        def score(
            trial: Any, place: int = place, sign: int = -1 if objective.direction == MAXIMIZE else 1
        ) -> float:
            return sign * float(trial.values[place])

        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it is experimental, and takes low values for good, as they are here
            found[objective.metric] = optuna.importance.get_param_importances(
                study,
                evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile),
                target=score,
            )
    return found


def importance_text(found: Importance) -> str:
    """A table with a row for each parameter and a column for each objective; empty without importance."""
    if not found:
        return ""
    keys = list(next(iter(found.values())))
    rows = [
        ["importance for", *found],
        *([key, *(f"{of[key]:.2f}" for of in found.values())] for key in keys),
    ]
    return "\n".join(aligned(rows, left=(0,)))
