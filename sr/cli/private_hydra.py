"""Names of Hydra and OmegaConf that are not public, in one place: an upgrade that loses one fails in
tests/cli/test_private_hydra.py.

Each is here because there is no public way to do what it does.
"""

from argparse import ArgumentParser
from typing import Any

from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.plugins.config_source import ConfigSource
from omegaconf import DictConfig


def command_line_parser() -> ArgumentParser:
    """The parser of Hydra's options and keys."""
    return get_args_parser()


def config_source(*, schema: str, provider: str, path: str) -> ConfigSource:
    """A source on Hydra's search path: a directory or a package with configurations."""
    return SourcesRegistry.instance().resolve(schema)(provider=provider, path=f"{schema}://{path}")


def node_of(parent: DictConfig, key: str) -> Any:
    """A node without what it refers to, so that a reference to nothing is no error."""
    return parent._get_node(key)


def value_of(node: Any) -> Any:
    """The value of a node as it is written."""
    return node._value()


def root_of(node: DictConfig) -> Any:
    """The configuration that a node is a part of."""
    return node._get_root()


def has_keys(node: Any) -> bool:
    """Whether it is a node with keys of its own, and neither missing nor a reference to another."""
    return isinstance(node, DictConfig) and not (node._is_missing() or node._is_interpolation())


def share_config_store() -> None:
    """Have Hydra share its store of configurations among copies of the search path instead of copying it too.

    Hydra copies the search path for every group that its help lists, and the store with it, which takes most of the
    time of `--help`. The store itself hands out copies of what it holds, so nothing is shared beyond it.
    """
    ConfigStore.__deepcopy__ = lambda self, memo: self  # type: ignore[attr-defined]
