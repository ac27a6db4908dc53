"""A search by Optuna, in the words of Hydra's command line: `hparams_search=optuna`."""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from sr.sweep.job import DONE, PRUNED, Job, run_job
from sr.sweep.metrics import read_columns
from sr.sweep.pareto import Objective

log = logging.getLogger(__name__)
PROGRAM = Path(__file__).parents[2] / "train.py"


class OptunaSweeper(Sweeper):
    """Runs jobs one after the other, each with what Optuna suggests after those before.

    The study lies in the sweep's directory, so the same command with the same `hydra.sweep.dir` goes on with it.

    Args:
        n_trials: of the study in all, those of earlier starts counted.
        objectives: `{metric, direction}`, columns of metrics.csv, whose last values count.
        sampler: of Optuna.
        pruner: of Optuna, for one objective; None lets every job run to its end.
        study_name: in the file of the study.
    """

    __module__ = "hydra_plugins.sr"  # see `register`

    def __init__(
        self,
        *,
        n_trials: int,
        objectives: Sequence[DictConfig],
        sampler: Any,
        pruner: Any,
        study_name: str,
    ) -> None:
        self.n_trials = n_trials
        self.objectives = [Objective(each.metric, each.direction) for each in objectives]
        if pruner is not None and len(self.objectives) > 1:
            raise ValueError("hydra.sweeper.pruner: Optuna prunes for one objective only, so set it to null")
        self.sampler = sampler
        self.pruner = pruner
        self.study_name = study_name
        self._folder = Path()

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self._folder = Path(config.hydra.sweep.dir).absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(config.hydra.overrides, self._folder / "multirun.yaml")

    def sweep(self, arguments: list[str]) -> None:
        import optuna

        fixed, space = split(arguments)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name=self.study_name,
            storage=f"sqlite:///{self._folder}/study.db",
            sampler=self.sampler,
            pruner=self.pruner or optuna.pruners.NopPruner(),
            directions=[each.direction for each in self.objectives],  # type: ignore[misc]
            load_if_exists=True,
        )
        if study.trials:
            study.sampler.reseed_rng()  # the seed that it began with would suggest the first jobs again
        states = optuna.trial.TrialState
        for trial in study.get_trials(states=(states.RUNNING,)):
            study.tell(trial.number, state=states.FAIL)  # whose process was killed
        try:
            while len(study.trials) < self.n_trials:
                self._run(study, study.ask(space), fixed)
        except KeyboardInterrupt:
            log.warning(
                "stopped: the same command with hydra.sweep.dir=%s goes on with the study", self._folder
            )

    def _run(self, study: Any, trial: Any, fixed: list[str]) -> None:
        from optuna.trial import TrialState

        number = trial.number
        chosen = [f"{key}={value}" for key, value in trial.params.items()]
        log.info("job %d: %s", number, " ".join(chosen))
        folder = self._folder / str(number)
        job = run_job(
            PROGRAM,
            number=number,
            overrides=[*fixed, *chosen],
            folder=folder,
            give_up=self._hopeless(trial, folder) if self.pruner else None,
        )
        values = self._values(job)
        if job.status == PRUNED:
            study.tell(trial, state=TrialState.PRUNED)
        elif job.status == DONE and values is not None:
            study.tell(trial, values)
            shown = ", ".join(
                f"{each.metric} {value:.5g}" for each, value in zip(self.objectives, values, strict=True)
            )
            log.info("job %d: %s after %.0f s", number, shown, job.seconds)
        else:
            study.tell(trial, state=TrialState.FAIL)

    def _values(self, job: Job) -> list[float] | None:
        metrics = job.metrics()
        missing = [each.metric for each in self.objectives if each.metric not in metrics]
        if job.status == DONE and missing:
            log.error("job %d logged no %s; it logged %s", job.number, ", ".join(missing), ", ".join(metrics))
        return None if missing else [metrics[each.metric] for each in self.objectives]

    def _hopeless(self, trial: Any, folder: Path) -> Callable[[], bool]:
        (objective,) = self.objectives
        told: set[int] = set()

        def look() -> bool:
            for iteration, value in read_columns(folder / "metrics.csv").get(objective.metric, []):
                if iteration not in told:
                    told.add(iteration)
                    trial.report(value, iteration)
            return bool(told) and bool(trial.should_prune())

        return look


def register() -> None:
    """Hydra takes plugins from modules of the namespace `hydra_plugins` alone."""
    sys.modules[OptunaSweeper.__module__] = sys.modules[__name__]
    Plugins.instance().register(OptunaSweeper)


def split(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Overrides that are the same for all jobs, and key -> Optuna's distribution of those that are not.

    `choice(a,b)` or `a,b`, `range(1,10)`, `interval(0.1,1)`, and `tag(log,interval(...))` on a logarithmic scale.
    """
    fixed, space = [], {}
    for override in OverridesParser.create().parse_overrides(list(arguments)):
        if override.is_sweep_override():
            space[override.get_key_element()] = distribution(override)
        else:
            assert override.input_line is not None
            fixed.append(override.input_line)
    if not space:
        raise ValueError(
            "hparams_search=optuna has nothing to search: give a key several values, such as"
            " 'optimizer_g.lr=tag(log,interval(1e-4,1e-2))'"
        )
    return fixed, space


def distribution(override: Override) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value: Any = override.value()
    if isinstance(value, ChoiceSweep):
        return CategoricalDistribution([_plain(each) for each in override.sweep_iterator()])
    logarithmic = "log" in value.tags
    if isinstance(value, IntervalSweep):
        whole = isinstance(value.start, int) and isinstance(value.end, int)
        kind: Any = IntDistribution if whole else FloatDistribution
        return kind(value.start, value.end, log=logarithmic)
    assert isinstance(value, RangeSweep)
    if any(isinstance(each, float) for each in (value.start, value.stop, value.step)):
        return FloatDistribution(float(value.start or 0), float(value.stop or 0), step=float(value.step))
    # Hydra's range ends before its stop.
    return IntDistribution(int(value.start or 0), int(value.stop or 0) - 1, step=int(value.step))


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
