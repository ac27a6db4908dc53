"""What is monitored is measured."""

import pytest

from sr.cli.monitored import with_monitored


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        (["experiment=quickstart", "monitor=niqe"], ["measure=[niqe]"]),
        (["monitor=psnr_y", "monitor=lpips"], ["measure=[lpips]"]),
        (["monitor={best: lpips, within: {psnr_y: 0.3}}"], ["measure=[lpips]"]),
        (["monitor={best: {psnr_y: 1, niqe: 0.5, lpips: 20}}"], ["measure=[niqe,lpips]"]),
        (["monitor=ssim_y"], []),
        (["monitor=niqe", "measure=[niqe,gmsd]"], []),
        (["monitor=niqe", "+measure.own._target_=a.B"], []),
        (["seed=1"], []),
    ],
)
def test_the_option_is_added_and_said(
    arguments: list[str], added: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert with_monitored(arguments) == [*arguments, *added]
    said = capsys.readouterr().err
    assert said == "".join(
        f"{arguments[-1]}: every validation measures what it names ({text})\n" for text in added
    )


def test_the_option_goes_before_options_of_hydra() -> None:
    assert with_monitored(["monitor=niqe", "--cfg", "job"]) == [
        "monitor=niqe",
        "measure=[niqe]",
        "--cfg",
        "job",
    ]
