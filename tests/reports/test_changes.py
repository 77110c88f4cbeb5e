from __future__ import annotations

from dataclasses import replace

from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.changes import changes
from pytest_llmbench.reports.markdown_changes import changes_section
from tests.reports.sample import INFRA, PASSED, WRONG, make_endpoint, make_sample, make_speed, make_spread


def make_one(name: str, **outcomes: object) -> Report:
    """One endpoint, some of whose checks ended otherwise than in the sample."""
    sample = make_sample()
    checks = [replace(check, endpoint=name) for check in sample.checks if check.endpoint == "qwen3-coder-fp8"]
    changed = [replace(check, outcome=outcomes.get(check.check, check.outcome)) for check in checks]  # type: ignore[arg-type]
    return replace(
        sample,
        endpoints=(make_endpoint(name),),
        checks=tuple(changed),
        speed=make_speed(name, 62.0, 0.21),
        completions=(),
    )


def test_what_only_one_side_judged_is_told() -> None:
    before, after = make_one("old"), make_one("new", byte_order=WRONG, stale_job=PASSED, socket_ownership=INFRA)
    (one,) = changes(before, after).endpoints
    assert (one.before, one.after) == ("old", "new")
    assert one.unpaired == ("zmq/socket_ownership",)


def test_a_figure_moved_only_if_it_moved_more_than_noise() -> None:
    before = make_one("m")
    slower = replace(before, speed=make_speed("m", 40.0, 0.21))
    (one,) = changes(before, slower).endpoints
    assert {(each.workload, each.figure) for each in one.slower} == {
        ("single-stream", "tok/s of one stream"),
        ("sweep", "tok/s of one stream"),
        ("sweep", "tok/s of all streams"),
        ("sweep, 8 streams", "tok/s of one stream"),
        ("sweep, 8 streams", "tok/s of all streams"),
    }
    assert one.faster == ()
    a_little = replace(before, speed=make_speed("m", 62.0 * 1.045, 0.21))
    assert changes(before, a_little).endpoints[0].faster == ()
    wide = tuple(
        replace(row, decode_tok_s=replace(make_spread(90.0), low=50.0, high=130.0), throughput_tok_s=None)
        for row in before.speed
    )
    assert changes(before, replace(before, speed=wide)).endpoints[0].faster == ()


def test_a_shorter_wait_is_faster() -> None:
    before = make_one("m")
    (one,) = changes(before, replace(before, speed=make_speed("m", 62.0, 0.1))).endpoints
    assert [(each.figure, each.before, each.after) for each in one.faster] == [("TTFT s", 0.21, 0.1)]
    assert one.slower == ()


def test_endpoints_are_compared_by_name() -> None:
    sample = make_sample()
    found = changes(sample, replace(sample, endpoints=(*sample.endpoints[1:], make_endpoint("fresh"))))
    assert [(one.before, one.after) for one in found.endpoints] == [
        ("qwen3-coder-awq", "qwen3-coder-awq"),
        ("llama-70b", "llama-70b"),
    ]
    assert (found.gone, found.new) == (("qwen3-coder-fp8",), ("fresh",))


def test_what_ran_is_told_too() -> None:
    before, after = make_one("m"), make_one("m")
    server = replace(after.endpoints[0].server, version="0.12.0")
    after = replace(after, endpoints=(replace(after.endpoints[0], server=server),))
    lines = changes_section(changes(before, after))
    assert lines == [
        "## What else changed: `m` against `m`",
        "",
        "- Not as it was: `server.version: 0.11.0 -> 0.12.0`",
        "",
    ]


def test_where_nothing_changed_nothing_is_said() -> None:
    assert changes_section(changes(make_one("m"), make_one("m"))) == []
