"""No secret in any artefact: keys in the environment, in the body, in headers, in URLs; whole folders are searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench.reports import FORMATS
from tests.client.scripted_server import ScriptedServer, cut, refusal, streamed
from tests.plugin.conftest import RIGHT, WRONG, Demo

SECRETS = ("sk-of-the-environment", "key-in-the-body", "key-in-a-header", "word-of-pass", "key-in-a-query")
MODELS = """
endpoints:
  new:
    url: {url}
    api_key_env: QWEN_KEY
    extra_body:
      provider: {{api_key: key-in-the-body}}
      headers: {{Authorization: Bearer key-in-a-header}}
    metadata: {{board: "https://me:word-of-pass@grafana/d?api_key=key-in-a-query"}}
"""


def where(secret: str, *folders: Path) -> list[Path]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.name != "models.yaml"]
    return [path for path in files if secret.encode() in path.read_bytes() or secret in str(path)]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_no_secret_is_in_the_run_folder_or_a_report(demo: Demo, monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("QWEN_KEY", "sk-of-the-environment")
    echo = " ".join(SECRETS[:3])
    script = [refusal(400, {"error": f"what is {echo}?"}), streamed(RIGHT), cut(streamed(WRONG), 3), streamed(WRONG)]
    with ScriptedServer(script) as server:
        (demo.pytester.path / "models.yaml").write_text(MODELS.format(url=server.url))
        reports = [f"--llm-report={name}:reports/{name}" for name in FORMATS]
        start = ["--llm-endpoint=new", "--llm-samples=4", "--llm-concurrency=1", "--junitxml=out.xml", workers]
        said = [demo.run(*start, *reports, "-vv", "--showlocals")]
        said += [demo.run(*start, "--llm-resume=out", "-vv", "--showlocals")]
    bodies = [request.body for request in server.requests]
    assert len(bodies) == 6
    assert {body["provider"]["api_key"] for body in bodies} == {"key-in-the-body"}
    assert {body["headers"]["Authorization"] for body in bodies} == {"Bearer key-in-a-header"}
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer sk-of-the-environment"}
    assert len(list((demo.pytester.path / "reports").iterdir())) == len(FORMATS)
    for secret in SECRETS:
        assert where(secret, demo.pytester.path) == []
        assert [text for text in said if secret in text.stdout.str() + text.stderr.str()] == []


def test_a_run_whose_secrets_are_needed_again_asks_for_them(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_KEY", "sk-of-the-environment")

    with ScriptedServer([refusal(500), streamed(RIGHT)]) as server:
        (demo.pytester.path / "models.yaml").write_text(MODELS.format(url=server.url))
        demo.run("--llm-endpoint=new").assert_outcomes(errors=2)
        result = demo.run("--llm-resume=out")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(
            ["ERROR: --llm-resume: run.json holds no secrets, and new had some (extra_body); give --llm-endpoint *"]
        )
        demo.run("--llm-resume=out", "--llm-endpoint=new").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    "url", ["http://me:word-of-pass@127.0.0.1:1/v1", "http://127.0.0.1:1/v1?api_key=key-in-a-query"]
)
def test_a_url_with_a_secret_is_refused_and_not_repeated(demo: Demo, url: str) -> None:
    result = demo.run(f"--llm-endpoint=new={url}", "--junitxml=out.xml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    for secret in ("word-of-pass", "key-in-a-query"):
        assert secret not in result.stdout.str() + result.stderr.str()
        assert where(secret, demo.pytester.path) == []


def test_a_key_in_the_path_of_a_url_is_not_repeated_where_it_looks_like_one(demo: Demo) -> None:
    result = demo.run("--llm-endpoint=new=http://127.0.0.1:1/sk-in-the-path-0123/v1", "--junitxml=out.xml", "-vv")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["llmbench: endpoint new: http://127.0.0.1:1/<redacted>/v1*"])
    assert "sk-in-the-path" not in result.stdout.str() + result.stderr.str()
    assert where("sk-in-the-path", demo.pytester.path) == []


def test_a_key_that_no_header_can_hold_costs_no_report(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMBENCH_API_KEY", "key-with-a-line-end\r")
    result = demo.run("--llm-endpoint=new=http://127.0.0.1:1/v1#m", "--junitxml=out.xml", "-vv", "--showlocals")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["new: 2 infra_error: *: the API key holds a space, a line break or *", "report: *"])
    assert demo.outcomes() == {"pays[new]": "infra_error", "exact[new]": "infra_error"}
    assert "key-with-a" not in result.stdout.str() + result.stderr.str()
    assert where("key-with-a", demo.pytester.path) == []
