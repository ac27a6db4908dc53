"""The schemas accept every file that is shipped, and underline what is wrong in one."""

from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match
from omegaconf import OmegaConf
from referencing import Registry, Resource
from shipped_options import shipped_options

from sr.config import ROOTS, register_schemas
from sr.reference.options import Option, read_options
from sr.reference.schema import file_of, schemas
from sr.run.directory import register_resolvers


@pytest.fixture(scope="module")
def groups() -> dict[str, list[Option]]:
    return shipped_options()


@pytest.fixture(scope="module")
def files(groups: dict[str, list[Option]]) -> dict[str, dict[str, Any]]:
    return schemas(groups, ROOTS)


def faults(files: dict[str, dict[str, Any]], file: str, text: str) -> list[str]:
    """What an editor says of a YAML text."""
    registry: Any = Registry().with_resources(
        [(name, Resource.from_contents(each)) for name, each in files.items()]
    )
    found = Draft7Validator({"$ref": file}, registry=registry).iter_errors(
        OmegaConf.to_container(OmegaConf.create(text))
    )
    best = [best_match([error]) for error in found]
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in best if error]


def test_they_are_schemas(files: dict[str, dict[str, Any]]) -> None:
    for schema in files.values():
        Draft7Validator.check_schema(schema)


def test_every_shipped_file_is_right(
    files: dict[str, dict[str, Any]], groups: dict[str, list[Option]]
) -> None:
    wrong = {
        f"{group}/{option.name}": found
        for group, options in groups.items()
        for option in options
        if (found := faults(files, file_of(group), option.text))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("file", "text", "key"),
    [
        ("generator.json", "{_target_: sr.archs.rrdbnet.RRDBNet, num_blocks: 6}", "num_blocks"),
        ("generator.json", "{_target_: sr.archs.rrdbnet.RRDBNet, num_block: six}", "num_block"),
        ("generator.json", "{defaults: [rrdbnet, _self_], num_blocks: 6}", "num_blocks"),
        ("generator.json", "{_target_: sr.archs.rrdbnet.RRDBNet, memory: most}", "memory"),
        ("data.json", "{defaults: [folder, _self_], cache: disc}", "cache"),
        ("loss.json", "{mine: {_target_: sr.losses.weighted.WeightedTerm, wait: 1}}", "wait"),
        (
            "loss.json",
            "{mine: {_target_: sr.losses.weighted.WeightedTerm, weight: 1,"
            " loss: {_target_: sr.losses.pixel.CharbonnierLoss, epsilon: 1}}}",
            "epsilon",
        ),
        ("experiment.json", "{trainer: {max_step: 3}}", "max_step"),
        ("experiment.json", "{nmae: mine}", "nmae"),
        ("experiment.json", "{seed: often}", "seed"),
        ("protocol.json", "{hr_patch_size: 3}", "hr_patch_size"),
        ("degradation.json", "{_target_: sr.degradations.pipeline.Degradation, stages: 3}", "stages"),
    ],
)
def test_a_mistake_is_found_at_its_key(
    files: dict[str, dict[str, Any]], file: str, text: str, key: str
) -> None:
    assert any(key in found for found in faults(files, file, text))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("generator.json", "{_target_: my_package.nets.Mine, anything: 3}"),
        ("generator.json", "{_target_: sr.archs.rrdbnet.RRDBNet, num_block: '${scale}'}"),
        ("data.json", "{_target_: sr.data.origins.FolderData, train_dir: '???'}"),
        ("loss.json", "{mine: {_target_: my_package.losses.Mine, weight: x}, l1: null}"),
        (
            "experiment.json",
            "{generator: {num_block: 6}, loss: {l1: {weight: 1.0}}, optimizer_g: {lr: 1.0e-3}}",
        ),
        ("callbacks.json", "{curves: null, health: {every_n_iterations: 3}}"),
    ],
)
def test_what_may_be_right_is_not_underlined(files: dict[str, dict[str, Any]], file: str, text: str) -> None:
    assert faults(files, file, text) == []


def test_options_of_a_folder_belong_to_the_schemas(tmp_path: Path) -> None:
    register_schemas()
    register_resolvers()
    folder = tmp_path / "generator"
    folder.mkdir()
    (folder / "mine.yaml").write_text("_target_: torch.nn.Upsample\nscale_factor: ${scale}\nmode: nearest\n")
    files = schemas(read_options([ROOT / "conf", tmp_path]), ROOTS)
    assert "torch.nn.Upsample" in files["classes.json"]["definitions"]
    assert faults(files, "generator.json", "{_target_: torch.nn.Upsample, mood: x}") != []
    assert faults(files, "generator.json", "{defaults: [mine, _self_], mode: bilinear}") == []
