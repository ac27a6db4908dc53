"""Names of Hydra and OmegaConf that are not public, in one place: an upgrade that loses one fails in
tests/cli/test_private_hydra.py.

Each is here because there is no public way to do what it does.
"""

from argparse import ArgumentParser
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import get_args_parser
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigSource
from omegaconf import DictConfig

_options_with_copies = ConfigLoaderImpl.get_group_options


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


def list_groups_without_copies() -> None:
    """Have Hydra list the options of a group by the search path that it has, and not by a copy of it.

    Hydra copies the search path, with everything in its store, for each of the 130 questions that its help asks, so
    that a `hydra.searchpath` can change the copy. Where none is given, that is most of the time of `--help`.
    """

    def options(
        loader: ConfigLoaderImpl,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        if config_name is None and not overrides:
            return loader.repository.get_group_options(group_name, results_filter)
        return _options_with_copies(loader, group_name, results_filter, config_name, overrides)

    ConfigLoaderImpl.get_group_options = options  # type: ignore[method-assign, assignment]
