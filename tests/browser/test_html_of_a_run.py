"""The report of a real run: from the command line, through sandbox and run folder, into the browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parents[2]


def test_a_run_can_be_read_to_the_last_log(browser: Browser, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    command = (sys.executable, "-m", "pytest", "suites", "-k", "zmq", "-q", "-p", "no:cacheprovider")
    options = (f"--llm-out={tmp_path / 'run'}", f"--llm-report=html:{report}")
    subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True)
    page = browser.new_page()
    page.goto(f"{report.as_uri()}#check/reference/zmq/socket_ownership/1")
    for title, text in {
        "Changes in notifier.py": "+import struct",
        "What was observed": "WorkingHours(",
        "What it printed (sandbox: bubblewrap)": "--- stdout",
        "Answer": "notifier.py",
        "Prompt": "Please send back",
        "The program as it was given: notifier.py": "class BlockNotifier",
    }.items():
        part = page.locator("#detail > details", has=page.get_by_role("heading", name=title, exact=True))
        if part.get_attribute("open") is None:
            part.locator("summary").first.click()
        expect(part.locator("pre").first).to_contain_text(text)
    page.goto(f"{report.as_uri()}#check/reference/zmq/clean_shutdown/1")
    for look in ("quiet_evening", "busy_evening", "false_start"):
        for title in (f"What was observed: {look}", f"What it printed: {look} (sandbox: bubblewrap)"):
            part = page.locator("#detail > details", has=page.get_by_role("heading", name=title, exact=True))
            part.locator("summary").first.click()
            expect(part.locator("pre").first).not_to_be_empty()
    page.close()
