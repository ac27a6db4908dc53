"""The page of sr-demo: its nets as numbers, and itself in a browser."""

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import cv2
import numpy as np
import pytest
import torch
from helpers import picture
from processes import running, wait_until
from safetensors.torch import save_file

from sr.archs.srvgg import SRVGGNetCompact
from sr.commands.demo import parse
from sr.ops.weight_file import CheckpointError
from sr.pictures.picture import Picture
from sr.pictures.reading import read_picture
from sr.pictures.writing import write_png
from sr.programs.demo import ALONE, Nets, run

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo and two nets: one repeats each pixel, the other makes it brighter by 102/255 too."""
    root = tmp_path_factory.mktemp("demo")
    for name, brighter in (("plain", 0.0), ("bright", 0.4)):
        net = SRVGGNetCompact(num_feat=4, num_conv=1, scale=2)
        for parameter in net.parameters():
            torch.nn.init.zeros_(parameter)
        torch.nn.init.constant_(net.body[-1].bias, brighter)
        save_file(net.state_dict(), root / f"{name}.safetensors")
    other = SRVGGNetCompact(num_feat=8, num_conv=1, scale=2)
    save_file(other.state_dict(), root / "other.safetensors")
    write_png(root / "photo.png", picture(60, 80) // 2)
    return root


def nets(folder: Path, *names: str) -> Nets:
    files = [folder / f"{name}.safetensors" for name in names]
    return Nets(files, trust=[], device="cpu", precision="fp32")


def repeated(image: np.ndarray) -> np.ndarray:
    return image.repeat(2, axis=0).repeat(2, axis=1)


def test_a_net_and_a_mix_of_two(folder: Path) -> None:
    given = read_picture(folder / "photo.png")
    both = nets(folder, "plain", "bright")
    assert both.names == ["plain", "bright"]
    alone = both.enlarge(given, first="plain", second=ALONE, alpha=0.5).colour
    np.testing.assert_array_equal(alone, repeated(given.colour))
    mixed = both.enlarge(given, first="plain", second="bright", alpha=0.5).colour
    np.testing.assert_array_equal(mixed, repeated(given.colour) + 51)


def test_what_cannot_be_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Picture(colour=picture(8, 8))
    with pytest.raises(CheckpointError, match="different architectures: num_feat is 4 and 8"):
        nets(folder, "plain", "other").enlarge(given, first="plain", second="other", alpha=0.5)
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(RuntimeError, match=r"sr-demo needs gradio: pip install 'sr-lightning\[demo\]'"):
        run(parse(["--ckpt", str(folder / "plain.safetensors")]))


def test_files_of_one_name_are_told_apart(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "plain.safetensors"
    shutil.copy(folder / copy.name, copy)
    files = [folder / copy.name, copy]
    assert Nets(files, trust=[], device="cpu", precision="fp32").names == [str(file) for file in files]


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[str]:
    """The address of the page, served by the program in a process of its own."""
    pytest.importorskip("gradio", reason="the extra demo is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    checkpoints = [
        word for name in ("plain", "bright") for word in ("--ckpt", str(folder / f"{name}.safetensors"))
    ]
    command = [sys.executable, "-m", "sr.commands.demo", *checkpoints, "--port", str(port), "--device", "cpu"]

    def answers() -> bool:
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", port)) == 0

    with running(command) as process:
        wait_until(answers, process)
        yield f"http://127.0.0.1:{port}"


def test_it_is_served_on_this_machine(page: str) -> None:
    with urlopen(page, timeout=60) as answer:
        text = answer.read().decode()
    assert '<meta property="og:title" content="sr-demo" />' in text
    assert "It stays on this machine." in text


@pytest.mark.slow
@pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="Debian's chromium and chromium-driver are not installed"
)
def test_a_dropped_picture_is_enlarged_compared_and_downloaded(
    page: str, folder: Path, tmp_path: Path
) -> None:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}/profile"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        wait = WebDriverWait(browser, 60)
        browser.get(page)
        upload = wait.until(lambda it: it.find_element(By.CSS_SELECTOR, "#picture input[type=file]"))
        upload.send_keys(str(folder / "photo.png"))
        wait.until(lambda it: it.find_element(By.CSS_SELECTOR, "#picture img"))
        second = browser.find_element(By.CSS_SELECTOR, "#second input")
        second.click()
        second.send_keys(Keys.CONTROL, "a")
        second.send_keys("bright", Keys.ENTER)
        share = wait.until(lambda it: it.find_element(By.CSS_SELECTOR, "#alpha input[type=number]"))
        wait.until(lambda it: share.is_displayed())
        browser.find_element(By.ID, "go").click()
        wait.until(lambda it: "80 x 60 became 160 x 120" in it.find_element(By.ID, "words").text)
        assert "plain, 50% of bright" in browser.find_element(By.ID, "words").text
        browser.find_element(By.ID, "download").click()
        file = tmp_path / "photo_enlarged.png"
        wait.until(lambda it: file.is_file())
        found = read_picture(file).colour
        given = read_picture(folder / "photo.png").colour
        np.testing.assert_array_equal(found, repeated(given) + 51)
        slider = browser.find_element(By.ID, "seen")
        shown = [brightness(slider.screenshot_as_png)]
        handle = slider.find_element(By.CSS_SELECTOR, ".outer, .inner, [role=slider]")
        for distance in (slider.size["width"] // 3, -2 * slider.size["width"] // 3):
            ActionChains(browser).drag_and_drop_by_offset(handle, distance, 0).perform()
            shown.append(brightness(slider.screenshot_as_png))
        assert (
            shown[1] < shown[0] < shown[2]
        )  # the after side, which is brighter, becomes narrower, then wider
        assert not [each for each in browser.get_log("browser") if each["level"] == "SEVERE"]
    finally:
        browser.quit()


def brightness(screenshot: bytes) -> float:
    return float(cv2.imdecode(np.frombuffer(screenshot, np.uint8), cv2.IMREAD_GRAYSCALE).mean())
