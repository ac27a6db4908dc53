"""What the YAML says: it builds, and a typo is an error. The numbers of the recipes are in test_recipes.py."""

import sys
from pathlib import Path
from typing import get_type_hints

import pytest
import torch
from helpers import ROOT, compose_config, experiments, small_vgg, write_vgg
from hydra.errors import ConfigCompositionException, InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import OmegaConf
from pyiqa_library import stand_in_for_pyiqa
from spandrel_files import stand_in_for_torchvision
from torchvision_nets import write_features

from sr.archs.srvgg import SRVGGNetCompact
from sr.cli.errors import explain
from sr.cli.hydra_errors import explain_hydra
from sr.config import TrainConfig, check_root_keys
from sr.data.pack.packing import find_originals, pack
from sr.data.shards.storage import Storage

WHOLE = ("experiment", "protocol", "hparams_search", "debug")  # groups that change the whole configuration
CHOICES = [
    (path.parent.name, path.stem)
    for path in sorted((ROOT / "conf").glob("*/*.yaml"))
    if path.parent.name not in (*WHOLE, "generator", "discriminator") and not path.stem.startswith("_")
]
KEYS = {"optimizer": "optimizer@optimizer_g", "scheduler": "scheduler@scheduler_g"}


def pack_shards(folder: Path, out: Path) -> None:
    originals, _ = find_originals(folder, on_error="raise", progress=lambda paths: paths)
    pack(originals, Storage(str(out)), shard_bytes=10**6, shuffle=None)


# Nets are built in archs/test_archs_yaml.py, but for the one that wants a file.
@pytest.mark.parametrize(("group", "choice"), [*CHOICES, ("generator", "spandrel")])
def test_every_choice_of_every_group_builds(
    group: str, choice: str, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = [f"{KEYS.get(group, group)}={choice}", f"run_dir={tmp_path}"]
    if choice == "spandrel":
        stand_in_for_torchvision(monkeypatch)
        torch.save(SRVGGNetCompact(num_feat=4, num_conv=1).state_dict(), tmp_path / "net.pth")
        overrides += [f"generator.checkpoint={tmp_path}/net.pth"]
    if group == "data":
        overrides += {
            "folder": [f"data.train_dir={photos}", "data.hr_patch_size=32"],
            "paired": [
                f"data.train_dir={photos}",
                f"data.train_lr_dir={photos}",
                f"data.val_dir={photos}",
                f"data.val_lr_dir={photos}",
                "scale=1",
                "data.hr_patch_size=32",
            ],
            "shards": [f"data.url={tmp_path}/shards", "data.hr_patch_size=32"],
        }.get(choice, [])
        if choice == "shards":
            pack_shards(photos, tmp_path / "shards")
    if choice in ("lpips", "lpips_vgg", "dists"):  # measures and losses
        net = "alexnet" if (group, choice) == ("measure", "lpips") else "vgg16"
        write_features(net, tmp_path / "net.pth")
        place = f"measure.{choice}" if group == "measure" else f"loss.{choice}.loss"
        overrides += [f"{place}.weights={tmp_path}/net.pth"]
    if choice == "musiq":
        monkeypatch.setitem(sys.modules, "pyiqa", stand_in_for_pyiqa())
    if group in ("model", "loss"):
        overrides += small_vgg(compose_config(*overrides), write_vgg(tmp_path / "vgg.pth"))
    if group == "scheduler":
        overrides += ["trainer.max_steps=10"]
    cfg = compose_config(*overrides)
    key = {"optimizer": "optimizer_g", "scheduler": "scheduler_g"}.get(group, group)
    built = instantiate(cfg[key])
    # A group is one object, or (loss, logger, callbacks) several by name.
    one = "_target_" in cfg[key]
    for node, value in zip(
        [cfg[key]] if one else cfg[key].values(), [built] if one else built.values(), strict=True
    ):
        kind = value.func if node.get("_partial_") else type(value)
        target = get_object(node["_target_"])
        # A function says what it makes.
        assert kind.__name__ in (
            target.__name__,
            getattr(get_type_hints(target).get("return"), "__name__", ""),
        )


FILES_OF_DIFFERENCES = sorted(
    path
    for group in ("experiment", "hparams_search", "debug")
    for path in (ROOT / "conf" / group).rglob("*.yaml")
)


@pytest.mark.parametrize("file", FILES_OF_DIFFERENCES, ids=lambda file: file.stem)
def test_an_experiment_leaves_the_numbers_of_an_option_to_the_option(file: Path) -> None:
    """Otherwise they would stay when the option is exchanged, and belong to nothing."""
    keys = set(OmegaConf.to_container(OmegaConf.load(file)))
    assert not keys & {"generator", "discriminator", "loss", "gan_loss", "degradation", "metric", "logger"}
    assert not keys & {"optimizer_g", "optimizer_d", "scheduler_g", "scheduler_d"}


@pytest.mark.parametrize("experiment", experiments())
def test_every_experiment_builds_its_optimizers_and_schedulers(experiment: str) -> None:
    cfg = compose_config(f"experiment={experiment}")
    assert cfg.name == experiment.rpartition("/")[2]
    for net in ("g", "d"):
        optimizer = instantiate(cfg[f"optimizer_{net}"])([torch.nn.Parameter(torch.zeros(1))])
        assert optimizer.param_groups[0]["lr"] == cfg[f"optimizer_{net}"].lr
        scheduler = instantiate(cfg[f"scheduler_{net}"])(optimizer)
        optimizer.step()
        scheduler.step()
        assert 0 < scheduler.get_last_lr()[0] <= cfg[f"optimizer_{net}"].lr


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("foo=1", "foo"),
        ("generator.num_blok=3", "num_blok"),
        ("trainer.max_stepps=3", "max_stepps"),
        ("generator=rdbnet", "rdbnet"),
        ("nogroup=rrdbnet", "nogroup"),
    ],
)
def test_a_typo_on_the_command_line_is_named(override: str, key: str) -> None:
    with pytest.raises(ConfigCompositionException) as error:
        compose_config(override)
    assert key in str(explain(error.value, explain_hydra))


def test_an_added_root_key_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown root key\(s\) traner: choose from name, seed"):
        check_root_keys(compose_config("+traner.max_steps=3"), TrainConfig)
    check_root_keys(compose_config(), TrainConfig)


@pytest.mark.parametrize(
    ("override", "node", "key"),
    [
        ("+generator.num_blok=3", "generator", "num_blok"),
        ("+data.trian_dir=x", "data", "trian_dir"),
        ("+data.augmentation.0.probability=1", "data", "probability"),
        ("+trainer.max_stepps=3", "trainer", "max_stepps"),
        ("+metric.border=4", "metric", "border"),
        ("+model.ramp.lenght=4", "model", "lenght"),
        ("+degradation.sclae=4", "degradation", "sclae"),
        ("+callbacks.samples.cuont=4", "callbacks", "cuont"),
        ("+gan_loss.base.smooth=0.1", "gan_loss", "smooth"),
    ],
)
def test_a_typo_in_an_argument_is_named_with_its_place(
    override: str, node: str, key: str, recwarn: pytest.WarningsRecorder
) -> None:
    cfg = compose_config("loss=l1", "generator=srvgg_compact", override)
    with pytest.raises(InstantiationException) as error:
        instantiate(cfg[node])
    message = explain(error.value, explain_hydra)
    assert message is not None
    assert key in message
    assert f"in the configuration under {node}" in message
