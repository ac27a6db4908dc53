"""`sr-train` and `python train.py`: compose an experiment and train it."""

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from sr.cli.composed import start
from sr.cli.errors import readable_errors
from sr.cli.hydra_errors import explain_hydra
from sr.cli.shipped import shipped_configuration
from sr.programs.at_hand import check_at_hand
from sr.run.directory import register_resolvers


@hydra.main(version_base="1.3", config_path=str(shipped_configuration()), config_name="train")
def compose(cfg: DictConfig) -> None:
    # What trains is imported here, so that the help needs none of it; and a sweep trains in its jobs alone.
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        from sr.programs.sweep import run

        run(HydraConfig.get(), cfg)
        return
    with readable_errors(explain_hydra):
        check_at_hand(cfg)
    from sr.programs.train import main

    main(cfg)


def main() -> None:
    """The program, from the command line to the exit status."""
    register_resolvers()
    start(compose, prepare=_add_search)


def _add_search() -> None:
    from sr.sweep.optuna_search import register

    register()


if __name__ == "__main__":
    main()
