from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, expect, sync_playwright

from pytest_llmbench.model.report import Report
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.details import Details
from tests.reports.hostile import make_hostile
from tests.reports.large import make_large

WIDTHS = {"desktop": (1280, 900), "phone": (360, 740)}
QUIET = (
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    "--disable-gpu", "--no-first-run",
)  # fmt: skip
WATCH = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
"""Runs before anything of the page does."""


@dataclass
class Opened:
    """A report in a browser, and all that went wrong in it."""

    page: Page
    url: str
    trouble: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Take down whatever a page of text has no reason to do."""
        self.page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        self.page.on("console", lambda message: self.trouble.append(f"console: {message.text}"))
        self.page.on("popup", lambda popup: self.trouble.append(f"popup: {popup.url}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _dialog(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if request.url.partition("#")[0] != self.url.partition("#")[0]:
            self.trouble.append(f"request: {request.url}")

    def all_trouble(self) -> list[str]:
        """What the page asked for, said or tried that it should not have."""
        return [*self.trouble, *self.page.evaluate("window.violations")]


Open = Callable[..., Opened]
expect.set_options(timeout=30_000)  # no wait is that long but on a busy machine


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Closed after the last test of this folder: while it is open, an event loop runs, and others want one of their own."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield found
        found.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write each report once."""
    folder = tmp_path_factory.mktemp("reports")
    makers: dict[str, Callable[[], tuple[Report, Details]]] = {
        "small": lambda: make_large(4, 2),
        "large": make_large,
        "hostile": make_hostile,
    }

    def write(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(FORMATS["html"](*makers[name]()), "utf-8")
        return path

    return write


@pytest.fixture
def open_report(browser: Browser, written: Callable[[str], Path]) -> Iterator[Open]:
    """Open one of the reports as a file, at the width of a desktop unless told otherwise."""
    contexts: list[BrowserContext] = []

    def opened(name: str, width: str = "desktop", *, link: str = "", scheme: str = "light", before: str = "") -> Opened:
        size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            has_touch=width == "phone",
        )
        contexts.append(context)
        page = context.new_page()
        found = Opened(page, f"{written(name).as_uri()}{link}")
        page.add_init_script(WATCH + before)
        found.watch()
        page.goto(found.url)
        return found

    yield opened
    for context in contexts:
        context.close()
