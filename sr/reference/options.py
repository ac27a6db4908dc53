"""The options of every configuration group, as the files state them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

GLOBAL = "# @package _global_"


@dataclass(frozen=True)
class Option:
    """One choice of a group.

    Attributes:
        group: the path of the group, as `generator`.
        name: the name of the choice.
        text: the YAML file.
        settings: the settings of the file and of its own defaults list, as plain dicts with interpolations unresolved.
            Empty where the file sets keys of the root, which only a whole configuration completes.
    """

    group: str
    name: str
    text: str
    settings: Any

    @property
    def comment(self) -> str:
        """The comment at the head of the file, as one paragraph."""
        lines = []
        for line in self.text.removeprefix(GLOBAL).strip().splitlines():
            if not line.startswith("#"):
                break
            lines.append(line.lstrip("# "))
        return " ".join(lines)

    @property
    def keys(self) -> list[str]:
        """The keys that the file itself sets at its first level."""
        return [str(key) for key in OmegaConf.to_container(OmegaConf.create(self.text)) or []]

    @property
    def targets(self) -> list[str]:
        """The classes that the settings name, each once, the outermost first."""
        return list(dict.fromkeys(targets_in(self.settings)))


def read_options(directories: Sequence[Path]) -> dict[str, list[Option]]:
    """Group -> its options.

    Args:
        directories: folders of configuration, the shipped one first; of files with the same path the last one counts,
            as with `--config-dir`.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    files: dict[str, dict[str, str]] = {}
    for directory in directories:
        if not directory.is_dir():
            raise FileNotFoundError(f"{directory} is no directory")
        for file in sorted(directory.rglob("[!_]*.yaml")):
            group = str(file.relative_to(directory).parent)
            # Options of hydra itself have keys of its own; the files of the root are no options.
            if group != "." and not group.startswith("hydra"):
                files.setdefault(group, {})[file.stem] = file.read_text(encoding="utf-8")
    settings = _composed(files, directories)
    return {
        group: [
            Option(group=group, name=name, text=texts[name], settings=settings.get((group, name), {}))
            for name in sorted(texts)
        ]
        for group, texts in sorted(files.items())
    }


def targets_in(node: Any) -> Iterator[str]:
    """Every `_target_` in a node, from the outside in."""
    if isinstance(node, Mapping):
        if isinstance(target := node.get("_target_"), str):
            yield target
        for value in node.values():
            yield from targets_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets_in(value)


def _composed(
    files: Mapping[str, Mapping[str, str]], directories: Sequence[Path]
) -> dict[tuple[str, str], Any]:
    """(group, option) -> its settings; options of the root are left out.

    One composition has an option of every group, because Hydra takes a fifth of a second for each composition.
    """
    own = {
        group: [name for name, text in sorted(texts.items()) if not text.startswith(GLOBAL)]
        for group, texts in files.items()
    }
    places = ",".join(f"file://{directory.resolve()}" for directory in directories[1:])
    settings = {}
    with initialize_config_dir(str(directories[0].resolve()), version_base="1.3"):
        for names in zip_longest(*own.values()):
            chosen = {group: name for group, name in zip(own, names, strict=True) if name}
            overrides = [f"+{group}={name}" for group, name in chosen.items()]
            composed = compose(None, overrides=[*overrides, f"hydra.searchpath=[{places}]"])
            for group, name in chosen.items():
                node = OmegaConf.select(composed, group.replace("/", "."))
                settings[group, name] = OmegaConf.to_container(node, resolve=False)
    return settings
