"""Every private name of Hydra and OmegaConf that the project uses still exists; an upgrade that loses one fails here,
by the name."""

import pytest
from hydra._internal import sources_registry, utils
from omegaconf import DictConfig, OmegaConf

from sr.cli.private_hydra import has_keys, node_of, root_of, value_of


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (utils, "get_args_parser"),
        (sources_registry, "SourcesRegistry"),
        *[
            (DictConfig, name)
            for name in ("_get_node", "_get_root", "_value", "_is_missing", "_is_interpolation")
        ],
    ],
)
def test_it_is_there(owner: object, name: str) -> None:
    assert hasattr(owner, name)


def test_nodes_are_read_without_what_they_refer_to() -> None:
    root = OmegaConf.create({"a": {"b": 1}, "missing": "???", "to": "${nowhere}"})
    assert value_of(node_of(root, "to")) == "${nowhere}"
    assert root_of(root.a) is root
    assert [has_keys(node_of(root, key)) for key in root] == [True, False, False]
