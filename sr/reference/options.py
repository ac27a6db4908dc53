"""The options of every configuration group, as the files state them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    files: dict[str, Path] = {}
    for directory in directories:
        if not directory.is_dir():
            raise FileNotFoundError(f"{directory} is no directory")
        for file in sorted(directory.rglob("[!_]*.yaml")):
            files[str(file.relative_to(directory).with_suffix(""))] = file
    groups: dict[str, list[Option]] = {}
    with _searching(directories):
        for path, file in sorted(files.items()):
            group, _, name = path.rpartition("/")
            # Options of hydra itself have keys of its own; the files of the root are no options.
            if group and not group.startswith("hydra"):
                groups.setdefault(group, []).append(_read(group, name, file, directories))
    return groups


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


@contextmanager
def _searching(directories: Sequence[Path]) -> Iterator[None]:
    with initialize_config_dir(str(directories[0].resolve()), version_base="1.3"):
        yield


def _read(group: str, name: str, file: Path, directories: Sequence[Path]) -> Option:
    text = file.read_text(encoding="utf-8")
    settings: Any = {}
    if not text.startswith(GLOBAL):
        places = ",".join(f"file://{directory.resolve()}" for directory in directories[1:])
        composed = compose(f"{group}/{name}", overrides=[f"hydra.searchpath=[{places}]"] if places else [])
        settings = OmegaConf.to_container(OmegaConf.select(composed, group.replace("/", ".")), resolve=False)
    return Option(group=group, name=name, text=text, settings=settings)
