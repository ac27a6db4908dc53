"""`python evaluate.py` is `sr-evaluate`: see sr/commands/evaluate.py, and `python evaluate.py --help`."""

from sr.commands.evaluate import main

if __name__ == "__main__":
    main()
