"""`sr-evaluate` and `python evaluate.py`: checkpoints -> tables, JSON, CSV, pictures and a report."""

import hydra
from omegaconf import DictConfig

from sr.cli.composed import start
from sr.cli.shipped import shipped_configuration


@hydra.main(version_base="1.3", config_path=str(shipped_configuration()), config_name="evaluate")
def compose(cfg: DictConfig) -> None:
    from sr.programs.evaluate import main  # the help needs none of it

    main(cfg)


def main() -> None:
    """The program, from the command line to the exit status."""
    start(compose)


if __name__ == "__main__":
    main()
