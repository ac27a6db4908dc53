"""The options by which a user names a net, for programs without a configuration."""

import argparse
from pathlib import Path

from sr.zoo.card import listing
from sr.zoo.shipped import net_names, shipped_file


def add_net(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """Add `--ckpt FILE` and `--net NAME`, of which a user gives one, and `--list-nets`.

    Args:
        parser: the parser of the program.
        default: the net in the package that is taken where the user gives neither; where the package does not have
            it, and for None, the user has to.
    """
    names = net_names()
    default = default if default in names else None
    group = parser.add_mutually_exclusive_group(required=default is None)
    group.add_argument(
        "--ckpt",
        type=_file,
        metavar="FILE",
        help="checkpoint of any ESRGAN-family tool, or of a run",
    )
    group.add_argument(
        "--net",
        type=_name,
        metavar="NAME",
        help=f"a net in this package: {', '.join(names) or 'it holds none'}"
        + (f"; default: {default}" if default else ""),
    )
    parser.set_defaults(default_net=default)
    parser.add_argument(
        "--list-nets",
        action=_ListNets,
        help="the nets in this package, what they are for and how good they are",
    )


def settle_net(options: argparse.Namespace) -> None:
    """Set `ckpt` to the file of the net that the user has named; the default is said."""
    if options.ckpt is None:
        if options.net is None:
            options.net = options.default_net
            print(
                f"neither --ckpt nor --net: takes {options.net}, a net in this package (--list-nets shows all)"
            )
        options.ckpt = shipped_file(options.net)


def _file(text: str) -> Path:
    if text in net_names() and not Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text} is no file here; the net in this package is --net {text}")
    return Path(text)


def _name(text: str) -> str:
    try:
        shipped_file(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


class _ListNets(argparse.Action):
    """Prints and ends, as `--version` does."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(
            option_strings, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, nargs=0, help=help
        )

    def __call__(self, parser: argparse.ArgumentParser, *ignored: object) -> None:
        print(listing())
        parser.exit()
