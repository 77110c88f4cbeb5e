"""The command `llmbench` on runs that pytest made."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.plugin.conftest import RIGHT, WRONG, Demo


def llmbench(demo: Demo, *words: str, code: int = 0) -> str:
    """Return what the command prints where the runs lie."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest_llmbench.cli", *words],
        cwd=demo.pytester.path,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_runs_are_reported_and_compared_afterwards(demo: Demo) -> None:
    specs = demo.answers(old=RIGHT, new=WRONG)
    for name, spec in specs.items():
        demo.run(spec, f"--llm-report=html:{name}.html", f"--llm-report=markdown:{name}.md")
        demo.out.rename(demo.pytester.path / name)

    # Written again, a report is what the run itself wrote.
    for kind, suffix in (("html", "html"), ("markdown", "md")):
        assert llmbench(demo, "report", kind, "new") == (demo.pytester.path / f"new.{suffix}").read_text("utf-8")

    merged = json.loads(llmbench(demo, "report", "json", "old", "new"))
    assert {row["endpoint"]: row["passed"] for row in merged["scores"] if row["suite"] is None} == {"old": 2, "new": 1}

    said = llmbench(demo, "compare", "--must-pass=demo/exact", "old", "new", code=1)
    broken, *where = said[said.index("- **Broken**") :].splitlines()[:3]
    assert "`demo/exact` 1/1 → 0/1 (must pass)" in broken
    assert "payout 17 was 1 satoshi short" in broken
    transcripts = ["old/completions/old/demo-s1.json", "new/completions/new/demo-s1.json"]
    assert where == [f"  - before: `{transcripts[0]}`", f"  - now: `{transcripts[1]}`"]
    for transcript in transcripts:
        assert (demo.pytester.path / transcript).is_file()


def test_prompts_are_the_same_as_those_that_pytest_writes(demo: Demo) -> None:
    demo.run("--llm-export-prompts=letters")
    written = (demo.pytester.path / "letters" / "demo.md").read_bytes()
    assert llmbench(demo, "prompts", "-", str(demo.folder)).encode() == written
