"""`python train.py` is `sr-train`: see sr/commands/train.py, and `python train.py --help`."""

from sr.commands.train import main

if __name__ == "__main__":
    main()
