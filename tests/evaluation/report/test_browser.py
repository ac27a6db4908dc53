"""The report in a real browser: the slider is moved, and what is visible is read off the screen."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluation_runs import run_evaluation
from helpers import picture

from sr.archs.srvgg import SRVGGNetCompact
from sr.evaluation.result import Evaluation
from sr.pictures.writing import write_png

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="Debian's chromium and chromium-driver are not installed"
    ),
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Evaluation]:
    """Four images, two nets: one that answers black and one that answers white."""
    import torch
    from safetensors.torch import save_file

    root = tmp_path_factory.mktemp("report")
    for number in range(4):
        write_png(root / "hr" / f"image{number}.png", picture(64, 80, seed=number))
    for name, level in (("black", -1.0), ("white", 2.0)):
        net = SRVGGNetCompact(num_feat=4, num_conv=1)
        for parameter in net.parameters():
            torch.nn.init.zeros_(parameter)
        torch.nn.init.constant_(net.body[-1].bias, 5 * level)
        save_file(net.state_dict(), root / f"{name}.safetensors")
    models = f"ckpts={{black: {root}/black.safetensors, white: {root}/white.safetensors}}"
    found = run_evaluation(models, f"hr_dir={root}/hr", f"out_dir={root}/out", "device=cpu")
    return root / "out" / "report.html", found


@pytest.fixture
def browser(tmp_path: Path) -> Iterator["webdriver.Chrome"]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}/profile", "--window-size=1100,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Card:
    """One image of the page."""

    def __init__(self, driver: "webdriver.Chrome", number: int) -> None:
        self.driver = driver
        self.element = driver.find_elements(By.CSS_SELECTOR, ".card")[number]
        self.stage = self.element.find_element(By.CSS_SELECTOR, ".stage")
        self.range = self.element.find_element(By.CSS_SELECTOR, "input[type=range]")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self.stage)

    def painted(self) -> None:
        """Wait until the pictures are decoded and what was changed is on the screen."""
        self.driver.execute_async_script(
            "const done = arguments[1], frame = requestAnimationFrame;"
            "Promise.all([...arguments[0].querySelectorAll('img')].map(i => i.decode()))"
            ".then(() => frame(() => frame(() => done())));",
            self.stage,
        )

    def pick(self, side: str, version: str) -> None:
        Select(self.element.find_element(By.CSS_SELECTOR, f".pick-{side}")).select_by_visible_text(version)

    def at(self) -> float:
        return float(
            self.driver.execute_script(
                "return getComputedStyle(arguments[0]).getPropertyValue('--at')", self.stage
            )[:-1]
        )

    def seen(self) -> np.ndarray:
        """What the stage looks like, (H, W, 3) RGB."""
        self.painted()
        data = np.frombuffer(self.stage.screenshot_as_png, np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[:, :, ::-1]

    def black_share(self) -> float:
        """Up to which part of the width a row below the labels is black, the rest being white."""
        row = self.seen()[-12].mean(axis=1)
        assert ((row < 20) | (row > 235)).mean() > 0.95  # but for the handle
        return float((row < 20).mean())


def test_the_slider_by_keyboard_mouse_and_touch(
    browser: "webdriver.Chrome", report: tuple[Path, Evaluation]
) -> None:
    browser.get(report[0].as_uri())
    card = Card(browser, 0)
    card.pick("left", "black")
    card.pick("right", "white")
    assert card.black_share() == pytest.approx(0.5, abs=0.02)
    card.range.send_keys(Keys.HOME)
    assert (card.at(), card.black_share()) == (0, pytest.approx(0, abs=0.02))
    card.range.send_keys(*[Keys.ARROW_RIGHT] * 60)
    assert (card.at(), card.black_share()) == (30, pytest.approx(0.3, abs=0.02))
    width, height = card.stage.size["width"], card.stage.size["height"]
    drag = ActionChains(browser).move_to_element(card.stage).click_and_hold()
    drag.move_by_offset(round(0.3 * width), 0).release().perform()
    assert card.at() == pytest.approx(80, abs=1)
    assert card.black_share() == pytest.approx(0.8, abs=0.02)
    assert float(card.range.get_property("value")) == pytest.approx(80, abs=1)  # the two move together
    box = browser.execute_script(
        "const b = arguments[0].getBoundingClientRect(); return [b.left, b.top]", card.stage
    )
    for kind, share in (("touchStart", 0.8), ("touchMove", 0.5), ("touchMove", 0.2), ("touchEnd", None)):
        points = [] if share is None else [{"x": box[0] + share * width, "y": box[1] + height / 2}]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert card.black_share() == pytest.approx(0.2, abs=0.03)


def test_every_version_is_the_picture_that_it_says(
    browser: "webdriver.Chrome", report: tuple[Path, Evaluation]
) -> None:
    browser.get(report[0].as_uri())
    card = Card(browser, 1)
    name = card.element.get_attribute("data-name")
    hr = picture(64, 80, seed=int(str(name)[-1]))
    # One pixel of HR is one of the screen, and lies on it.
    style = "position: fixed; left: 0; top: 0; width: 80px; z-index: 9"
    browser.execute_script("arguments[0].style.cssText += arguments[1]", card.stage, style)
    for version in ("LR", "HR", "bicubic", "white"):
        card.pick("left", version)
        card.range.send_keys(Keys.END)
        browser.execute_script(
            "for (const e of arguments[0].querySelectorAll('.tag, .handle')) e.style.display = 'none'",
            card.stage,
        )
        seen = card.seen()
        assert seen.shape == hr.shape
        if version == "HR":
            assert np.array_equal(seen, hr)
        if version == "white":
            assert (seen == 255).all()
        if version == "LR":
            blocks = seen.reshape(16, 4, 20, 4, 3).astype(int)
            assert (blocks == blocks[:, :1, :, :1]).all()  # squares of one colour
        if version == "bicubic":
            error = (seen[4:-4, 4:-4].astype(float) - hr[4:-4, 4:-4]) ** 2
            (image,) = [e for e in report[1].sets["hr"].images if e.name == name]
            assert 10 * np.log10(255**2 / error.mean()) == pytest.approx(
                image.values["bicubic"]["psnr_rgb"], abs=1e-3
            )


def test_the_toolbar_moves_all_images(browser: "webdriver.Chrome", report: tuple[Path, Evaluation]) -> None:
    browser.get(report[0].as_uri())
    Select(browser.find_element(By.ID, "all-left")).select_by_visible_text("HR")
    Select(browser.find_element(By.ID, "all-right")).select_by_visible_text("white")
    for number in range(4):
        card = Card(browser, number)
        tags = [tag.text for tag in card.element.find_elements(By.CSS_SELECTOR, ".tag")]
        assert tags == ["HR", "white"]
        assert (card.seen()[-12, -10:] > 250).all()
    images = report[1].sets["hr"].images

    def order() -> list[str]:
        return [
            str(card.get_attribute("data-name")) for card in browser.find_elements(By.CSS_SELECTOR, ".card")
        ]

    gains = sorted(images, key=lambda e: e.values["black"]["psnr_y"] - e.values["bicubic"]["psnr_y"])
    assert order() == [image.name for image in gains]
    for value, worst_first in (
        ("value ssim_y", lambda e: e.values["black"]["ssim_y"]),
        ("value mse", lambda e: -e.values["black"]["mse"]),
        ("gain mse", lambda e: e.values["bicubic"]["mse"] - e.values["black"]["mse"]),
    ):
        Select(browser.find_element(By.ID, "order")).select_by_value(value)
        assert order() == [image.name for image in sorted(images, key=worst_first)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_runs_over_the_edge(
    browser: "webdriver.Chrome", report: tuple[Path, Evaluation], scheme: str
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True},
    )
    browser.get(report[0].as_uri())
    card = Card(browser, 0)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 360
    assert 280 < card.stage.size["width"] <= 360
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    ink = browser.execute_script("return getComputedStyle(document.body).color")
    levels = [sum(map(int, colour[4:-1].split(","))) for colour in (ground, ink)]
    assert (levels[0] > levels[1]) == (scheme == "light")


def test_cards_of_a_set_are_equally_high(
    browser: "webdriver.Chrome", report: tuple[Path, Evaluation]
) -> None:
    browser.get(report[0].as_uri())
    heights = {card.size["height"] for card in browser.find_elements(By.CSS_SELECTOR, ".card")}
    assert len(heights) == 1
    top = {round(each.location["y"]) for each in browser.find_elements(By.CSS_SELECTOR, ".details")}
    assert len(top) == len(
        {round(each.location["y"]) for each in browser.find_elements(By.CSS_SELECTOR, ".card")}
    )


def test_every_picture_is_there_without_scrolling_or_scripts(
    browser: "webdriver.Chrome", report: tuple[Path, Evaluation]
) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(report[0].as_uri())
    options = {"captureBeyondViewport": True}
    data = base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", options)["data"])
    whole = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    for stage in browser.find_elements(By.CSS_SELECTOR, ".stage"):
        place, size = stage.location, stage.size
        left, top = round(place["x"]), round(place["y"])
        seen = whole[top : top + round(size["height"]), left : left + round(size["width"])]
        assert (seen[-12, -10:] < 20).all()  # the black net, right of the slider
        assert seen[-12, : seen.shape[1] // 3].std() > 5  # bicubic, left of it


def test_the_printed_page_has_the_protocol_the_bars_and_no_controls(
    browser: "webdriver.Chrome", report: tuple[Path, Evaluation]
) -> None:
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.get(report[0].as_uri())
    assert not browser.find_element(By.CSS_SELECTOR, ".toolbar").is_displayed()
    assert not browser.find_element(By.CSS_SELECTOR, ".controls").is_displayed()
    assert browser.find_element(By.CSS_SELECTOR, ".protocol").size["height"] > 40
    bar = browser.find_element(By.CSS_SELECTOR, ".bar")
    assert bar.value_of_css_property("print-color-adjust") == "exact"


def test_the_console_is_silent_and_nothing_is_fetched(
    browser: "webdriver.Chrome", report: tuple[Path, Evaluation]
) -> None:
    browser.get(report[0].as_uri())
    Card(browser, 3)
    assert browser.get_log("browser") == []
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [address for address in fetched if not address.startswith("data:")] == []
