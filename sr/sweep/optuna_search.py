"""A search by Optuna, written in Hydra's command-line syntax: `hparams_search=optuna`."""

import logging
import sys
from collections.abc import Callable, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from sr.ops.metrics_csv import read_columns
from sr.ops.program_names import to_start
from sr.sweep.job import DONE, PRUNED, Job, run_job, search_path
from sr.sweep.pareto import Objective
from sr.sweep.run_names import environment
from sr.sweep.space import split
from sr.sweep.summary import directed, end_interrupted

log = logging.getLogger(__name__)
ELSEWHERE = "take another hydra.sweep.dir"


class OptunaSweeper(Sweeper):
    """Runs jobs one after the other, each with the values that Optuna suggests after the earlier ones.

    The study is kept in the directory of the sweep, so the same command with the same `hydra.sweep.dir` goes on with
    it.

    Args:
        n_trials: the number of trials of the study, including those of earlier starts.
        objectives: entries `{metric, direction}`: columns of metrics.csv, whose last values count.
        sampler: an Optuna sampler, as a node with a `_target_`.
        pruner: an Optuna pruner, as a node with a `_target_`, for a single objective; None lets every job run to its
            end.
        study_name: the name of the study in its file.
    """

    __module__ = "hydra_plugins.sr"  # see `register`

    def __init__(
        self,
        *,
        n_trials: int,
        objectives: Sequence[DictConfig],
        sampler: DictConfig,
        pruner: DictConfig | None,
        study_name: str,
    ) -> None:
        try:
            import optuna  # noqa: F401
        except ModuleNotFoundError as error:
            raise ValueError(
                "hparams_search=optuna needs optuna: pip install 'sr-lightning[sweep]' (with the quotes)"
            ) from error
        if n_trials < 1:
            raise ValueError(f"hydra.sweeper.n_trials={n_trials} must be 1 or more")
        self.n_trials = n_trials
        self._wanted = list(objectives)
        self.objectives: list[Objective] = []
        if pruner is not None and len(self._wanted) > 1:
            raise ValueError("hydra.sweeper.pruner: Optuna prunes for one objective only, so set it to null")
        self.sampler = instantiate(sampler)
        self.pruner = instantiate(pruner)
        self.study_name = study_name
        self._folder = Path()
        self._config = DictConfig({})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self._config = config
        self.objectives = directed(self._wanted, config)
        self._folder = Path(config.hydra.sweep.dir).absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(config.hydra.overrides, self._folder / "multirun.yaml")

    def sweep(self, arguments: list[str]) -> None:
        import optuna

        fixed, space = split(arguments)
        directions = [each.direction for each in self.objectives]
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name=self.study_name,
            storage=f"sqlite:///{self._folder}/study.db",
            sampler=self.sampler,
            pruner=self.pruner or optuna.pruners.NopPruner(),
            directions=directions,  # type: ignore[arg-type]
            load_if_exists=True,
        )
        if (began := [each.name.lower() for each in study.directions]) != directions:
            raise ValueError(f"{self._folder} has a study that is to {began}, not {directions}: {ELSEWHERE}")
        self._check_space(study, space)
        if study.trials:
            study.sampler.reseed_rng()  # its first seed would suggest the first jobs again
        states = optuna.trial.TrialState
        for trial in study.get_trials(states=(states.RUNNING,)):
            study.tell(trial.number, state=states.FAIL)  # trials whose process was killed
        try:
            while len(study.trials) < self.n_trials:
                self._run(study, study.ask(space), fixed)
        except KeyboardInterrupt:
            log.warning(
                "stopped: the same command with hydra.sweep.dir=%s goes on with the study", self._folder
            )
            end_interrupted(self._config.hydra, self._config)

    def _check_space(self, study: Any, space: dict[str, Any]) -> None:
        from optuna.distributions import check_distribution_compatibility

        for trial in study.trials:
            for key, known in trial.distributions.items():
                try:
                    check_distribution_compatibility(known, space.get(key, known))
                except ValueError as error:
                    raise ValueError(f"{self._folder} has a study with {key}={known}: {ELSEWHERE}") from error

    def _run(self, study: Any, trial: Any, fixed: list[str]) -> None:
        from optuna.trial import TrialState

        number = trial.number
        chosen = [f"{key}={value}" for key, value in trial.params.items()]
        log.info("job %d: %s", number, " ".join(chosen))
        folder = self._folder / str(number)
        job = run_job(
            to_start("train"),
            number=number,
            overrides=[*fixed, *chosen],
            folder=folder,
            options=search_path(self._config.hydra),
            environment=environment(
                experiment=self._config.name, sweep=self._folder, number=number, varied=chosen
            ),
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
        missing = [each.metric for each in self.objectives if not isfinite(metrics.get(each.metric, nan))]
        if job.status == DONE and missing:
            logged = ", ".join(f"{name} {value:.5g}" for name, value in metrics.items())
            log.error("job %d logged no number as %s; it logged %s", job.number, ", ".join(missing), logged)
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
    """Register the sweeper under `hydra_plugins`, the only namespace from which Hydra takes plugins."""
    sys.modules[OptunaSweeper.__module__] = sys.modules[__name__]
    Plugins.instance().register(OptunaSweeper)
