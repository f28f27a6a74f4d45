"""A headless Chromium that opens a page from disk and keeps what it was asked for and said."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def chromium():
    """Path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def has_browser():
    found = importlib.util.find_spec("selenium") is not None
    return found and bool(chromium()) and bool(shutil.which("chromedriver"))


class Browser:
    """One Chromium for all tests of a file."""

    def __init__(self):
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = chromium()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     "--disable-dev-shm-usage"):  # fmt: skip
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)

    def open(self, path, width=1280, height=900, phone=False, **media):
        """Opens a page; `media` are features such as prefers_color_scheme="dark"."""
        self.media(**media)
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=phone,
        )  # fmt: skip
        self.driver.get_log("performance"), self.driver.get_log("browser")
        self.driver.get(f"file://{path}")

    def media(self, kind="screen", **features):
        """Emulates a medium and what a person prefers; nothing is preferred by default."""
        wanted = {"prefers-color-scheme": "light", "prefers-reduced-motion": "no-preference"}
        wanted |= {key.replace("_", "-"): value for key, value in features.items()}
        listed = [{"name": name, "value": value} for name, value in wanted.items()]
        self.command("Emulation.setEmulatedMedia", media=kind, features=listed)

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def said(self):
        """What stands in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def asked(self):
        """Addresses of all requests since the page was opened."""
        events = [json.loads(x["message"])["message"] for x in self.driver.get_log("performance")]
        sent = [x for x in events if x["method"] == "Network.requestWillBeSent"]
        return [x["params"]["request"]["url"] for x in sent]

    def picture(self, path):
        """Saves a picture of the whole page."""
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def keys(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def point_at(self, element):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).scroll_to_element(element).move_to_element(element).perform()

    def find(self, selector):
        return self.driver.find_elements("css selector", selector)

    def close(self):
        self.driver.quit()
