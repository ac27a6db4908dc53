"""What the chosen option of a group sets, wherever on Hydra's search path it lies, and what was changed of it."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hydra.conf import HydraConf
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from sr.cli.private_hydra import config_source

_REMOVED = object()


@dataclass(frozen=True)
class Choice:
    """The chosen option of a group.

    Attributes:
        name: the name of the option.
        settings: the settings that it makes, under their full keys, with interpolations unresolved.
    """

    name: str
    settings: DictConfig


def find_choice(group: str, hydra: HydraConf) -> Choice:
    """Read the chosen option of a group, and the options that its own defaults list adds.

    Must be called where Hydra is initialised.

    Args:
        group: the name of the group, as `protocol`.
        hydra: the node `hydra` of the composed configuration, which knows the search path and the command line.
    """
    loader = GlobalHydra.instance().config_loader()
    overrides = [*hydra.overrides.hydra, *hydra.overrides.task]
    defaults = loader.compute_defaults_list(hydra.job.config_name, overrides, RunMode.RUN).defaults
    parents = {entry.config_path: entry.parent for entry in defaults}
    settings = OmegaConf.create()
    for entry in defaults:
        if entry.config_path is None or not _belongs(entry.config_path, group, parents):
            continue
        config = _load(entry.config_path, hydra)
        nested = OmegaConf.create()
        if entry.package:
            OmegaConf.update(nested, entry.package, config)
        settings.merge_with(nested if entry.package else config)
    return Choice(str(hydra.runtime.choices[group]), settings)


def check_named(cfg: DictConfig, key: str, choice: Choice) -> None:
    """Raises ValueError where an option does not write its own name under a root key.

    An option that is made from another one would otherwise go by the name of that one.
    """
    found = None if OmegaConf.is_missing(cfg, key) else cfg[key]
    if found != choice.name:
        raise ValueError(
            f"{key}={choice.name}: the file of this option must hold the line `{key}: {choice.name}`; the"
            f" configuration has {key}={'null' if found is None else found}"
        )


def changed_keys(cfg: DictConfig, settings: DictConfig) -> list[str]:
    """`key=value` for every setting of an option that has another value in the configuration; `~key` if it has none.

    Args:
        cfg: the composed configuration.
        settings: the settings of the option.
    """
    # Both resolved inside the composed configuration, whose scale may be known by now.
    wanted = deepcopy(cfg)
    OmegaConf.set_struct(wanted, False)  # the command line may have removed keys of the option
    wanted.merge_with(settings)
    changed = []
    for key in _leaves(OmegaConf.to_container(settings)):
        value = OmegaConf.select(cfg, key, default=_REMOVED)
        if value is _REMOVED:
            changed.append(f"~{key}")
        elif value != OmegaConf.select(wanted, key):
            changed.append(f"{key}={value}")
    return changed


def _belongs(path: str | None, group: str, parents: Mapping[str | None, str | None]) -> bool:
    """Whether a configuration is an option of the group, or was added by the defaults list of one."""
    while path is not None:
        if path.startswith(f"{group}/"):
            return True
        path = parents.get(path)
    return False


def _load(path: str, hydra: HydraConf) -> DictConfig:
    """The content of the first file of that path on the search path."""
    for each in hydra.runtime.config_sources:
        source = config_source(schema=each.schema, provider=each.provider, path=each.path)
        if source.available() and source.is_config(path):
            config = source.load_config(path).config
            assert isinstance(config, DictConfig)
            config.pop("defaults", None)
            return config
    raise AssertionError(f"{path} was composed, but is not on the search path")


def _leaves(node: Any, prefix: str = "") -> Iterator[str]:
    """The dotted keys of all values that are not dicts: those of the root in their order, those inside it sorted."""
    for key in sorted(node) if prefix else node:
        if isinstance(node[key], dict) and node[key]:
            yield from _leaves(node[key], f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
