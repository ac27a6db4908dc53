"""The configuration in dashboards."""

from helpers import compose_config
from omegaconf import OmegaConf

from sr.run.readable_config import readable


def of(*overrides: str) -> dict:
    cfg = compose_config(*overrides)
    return readable(OmegaConf.to_container(cfg, resolve=True), OmegaConf.to_container(cfg, resolve=False))


def test_every_value_is_there_once_under_the_key_that_a_user_types() -> None:
    found = of("experiment=quickstart")
    assert found["generator"]["class"] == "SRVGGNetCompact"
    assert found["optimizer_g"] == {"class": "Adam", "lr": 2e-3, "betas": [0.9, 0.99], "fused": True}
    assert found["model"].keys() == {
        *("class", "content_loss", "gan_weight", "first_stage", "ramp", "optimization", "loss_patch_size"),
        *("balance", "feature_matching", "discriminator_steps"),
    }
    assert found["model"]["content_loss"] == {"class": "WeightedLoss"}  # its terms are `loss`
    assert found["loss"]["l1"]["loss"] == {"class": "L1Loss"}
    assert found["data"]["augmentation"] == [{"class": "D4", "p": 1.0}]
    assert "degradation" not in found["data"]
    assert "seed" not in found["data"]
    assert found["seed"] == 0


def test_what_has_no_effect_is_left_out() -> None:
    found = of("experiment=esrgan_psnr")
    assert not {"discriminator", "gan_loss", "optimizer_d", "scheduler_d"} & found.keys()
    assert found["optimizer_g"]["lr"] == 2e-4


def test_a_node_of_its_own_stays_where_it_is() -> None:
    own = of("+degradation@data.val_degradation=mild")["data"]["val_degradation"]
    assert own["class"] == "Pipeline" or "class" in own
    stage = of("experiment=esrgan_two_stage")["model"]["first_stage"]
    assert stage["optimizer_g"] == {"class": "Adam", "lr": 2e-4, "betas": [0.9, 0.99], "fused": True}


def test_an_interpolation_that_is_no_copy_is_resolved() -> None:
    config = {"model": {"_target_": "a.B", "pair": [1, {"_target_": "c.D"}], "inner": {"x": 1}}, "scale": 4}
    written = {
        "model": {"_target_": "a.B", "pair": "${elsewhere.pair}", "inner": "${elsewhere.inner}"},
        "scale": 4,
    }
    expected = {"class": "B", "pair": [1, {"class": "D"}], "inner": {"x": 1}}
    assert readable(config, written) == {"model": expected, "scale": 4}
