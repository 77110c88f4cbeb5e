from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench.provision.progress import LINE_CHARS, Progress, clean, last_line, log_text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("  indented\tand tabbed  ", "indented and tabbed"),
        ("\x1b[1;32mINFO\x1b[0m: ready", "INFO: ready"),
        ("\x1b]0;a title\x07loading", "loading"),
        ("\x1b]8;;http://x\x1b\\a link\x1b]8;;\x1b\\", "a link"),
        ("\x1b[2K\x1b[1Gloading", "loading"),
        ("Loading:  10%\rLoading:  90%\r", "Loading: 90%"),
        ("Loading:  10%\r\x1b[A\r", "Loading: 10%"),
        ("\x1b(Bloading", "loading"),
        ("bell\x07 and \x00 zero", "bell and zero"),
        ("Schöne Grüße 不", "Schöne Grüße 不"),
        ("\x1b[0m \r \t", ""),
        ("x" * 500, "x" * LINE_CHARS + "…"),
    ],
)
def test_a_line_is_what_a_terminal_shows_in_the_end(line: str, shown: str) -> None:
    assert clean(line) == shown


def test_the_last_line_is_the_last_that_says_something(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_line(log) == ""
    log.write_bytes(b"first\nsecond \xff\n\x1b[0m\n\nGET /health 200\n \n")
    assert last_line(log) == "GET /health 200"
    assert last_line(log, but="GET /health ") == "second \ufffd"


def test_of_a_long_log_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("begin\n" + "x" * 100_000 + "\nend\n")
    assert last_line(log) == "end"
    assert log_text(log, 10) == "xxxxx\nend\n"
    assert log_text(log).startswith("begin\n")


def test_it_is_said_after_five_seconds_and_then_every_fifteen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    told: list[str] = []
    progress = Progress(told.append, log, but="GET /health ")
    for tenths in range(520):
        if tenths == 100:
            log.write_text("weights: 10%\rweights: 20%")
        progress.tick(tenths / 10, "loading")
    assert told == [
        "loading for 5 s",
        "loading for 20 s: weights: 20%",
        "loading for 35 s: weights: 20%",
        "loading for 50 s: weights: 20%",
    ]


def test_a_long_pause_is_not_made_up_for(tmp_path: Path) -> None:
    told: list[str] = []
    progress = Progress(told.append, tmp_path / "log", but="-")
    for elapsed_s in (100.0, 100.1, 111.0):
        progress.tick(elapsed_s, "loading")
    assert told == ["loading for 100 s", "loading for 111 s"]
