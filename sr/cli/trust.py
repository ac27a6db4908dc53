"""The option by which a user trusts a package, for programs without a configuration."""

import argparse


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add `--trust PACKAGE`, which may be repeated; the programs with a configuration have `trust=[PACKAGE]`."""
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="package of your own whose nets the checkpoint may name; may be repeated",
    )
