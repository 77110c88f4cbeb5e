from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.identity import REDACTED
from pytest_llmbench.provision.redaction import (
    is_secret,
    redact_env,
    redact_text,
    redact_words,
    secrets_in,
    secrets_in_words,
)

R = REDACTED


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("serve --api-key abc --port 1", f"serve --api-key {R} --port 1"),
        ("serve --api-key=abc", f"serve --api-key={R}"),
        ("serve --api-key a b c --tp 2", f"serve --api-key {R} {R} {R} --tp 2"),
        ("serve --api-key -abc --tp 2", f"serve --api-key {R} --tp 2"),
        ("serve --api_key abc", f"serve --api_key {R}"),
        ("serve --hf-token hf_x --hf_token=y", f"serve --hf-token {R} --hf_token={R}"),
        ("llama-server -hft abc -m x", f"llama-server -hft {R} -m x"),
        (
            "serve --ssl-keyfile-password pw --ssl-keyfile k.pem",
            f"serve --ssl-keyfile-password {R} --ssl-keyfile k.pem",
        ),
        ("env HF_TOKEN=abc A=1 serve", f"env HF_TOKEN={R} A=1 serve"),
        ("docker run -e OPENAI_API_KEY=abc image", f"docker run -e OPENAI_API_KEY={R} image"),
        ("serve --proxy http://user:pw@host:1/x", f"serve --proxy http://user:{R}@host:1/x"),
        ('serve --x {"api_key":"abc","n":1}', f'serve --x {{"api_key":"{R}","n":1}}'),
        ("serve --x sk-0123456789abcdef", f"serve --x {R}"),
    ],
)
def test_secrets_in_a_command_line(words: str, shown: str) -> None:
    assert redact_words(words.split()) == tuple(shown.split())


@pytest.mark.parametrize(
    "words",
    [
        "vllm serve m --max-num-batched-tokens 4096 --tokenizer t --max-tokens 5",
        "sglang --speculative-token-map m.pt --speculative-num-draft-tokens 4 --skip-tokenizer-init",
        "serve --eos-token </s> --trust-remote-code --kv-cache-dtype fp8",
        "serve --host 0.0.0.0 --port {port} --url http://host:1/v1",
        'serve --json {"max_tokens":5,"rope_scaling":{"factor":4.0}}',
    ],
)
def test_what_is_no_secret_stays(words: str) -> None:
    assert redact_words(words.split()) == tuple(words.split())


def test_a_command_line_in_one_word() -> None:
    words = ("sh", "-c", "HF_TOKEN=abc exec serve --api-key 'a  b'  --port 8000 --model x")
    assert redact_words(words)[2] == f"HF_TOKEN={R} exec serve --api-key {R}  {R}  --port 8000 --model x"


def test_headers() -> None:
    assert redact_words(("serve", "--header", "Authorization: Bearer abc.def")) == (
        "serve",
        "--header",
        f"Authorization: Bearer {R}",
    )


def test_known_secrets_are_found_wherever_they_stand() -> None:
    assert redact_words(("serve", "--x=zebra-7", "a,zebra-7,b"), ["zebra-7"]) == ("serve", f"--x={R}", f"a,{R},b")
    assert redact_text("longer zebra-77", ["zebra-7", "zebra-77"]) == f"longer {R}", "the longest first"


def test_lines_of_logs() -> None:
    line = "args: {'api_key': ['sk'], 'model': 'x'}, Namespace(hf_token='z', max_tokens=5), unexpected token: foo"
    assert redact_text(line) == (
        f"args: {{'api_key': ['{R}'], 'model': 'x'}}, Namespace(hf_token='{R}', max_tokens=5), unexpected token: foo"
    )


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("args: {'api_key': ['a1', 'b]2'], 'n': 1}", f"args: {{'api_key': ['{R}', '{R}]{R}'], 'n': 1}}"),
        ('{"password": "a b, c", "n": 1}', f'{{"password": "{R}, {R}", "n": 1}}'),
        ("argv=['serve', '--api-key=abc']", f"argv=['serve', '--api-key={R}']"),
        (r'"{\"api_key\": \"abc\", \"n\": 1}"', rf'"{{\"api_key\": \"{R}", \"n\": 1}}"'),
        ("cut off: api_key=['abc", f"cut off: api_key=['{R}"),
        ('Args { api_key: Some("abc"), port: 1 }', f'Args {{ api_key: Some("{R}"), port: 1 }}'),
        ("403: https://cdn/x?X-Amz-Signature=abc&Policy=x", f"403: https://cdn/x?X-Amz-Signature={R}"),
        ("headers: X-Api-Key: abc", f"headers: X-Api-Key: {R}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0xyz.abc_def-ghi!", f"{R}!"),
        ("api_key='' tokens=5", "api_key='' tokens=5"),
    ],
)
def test_values_in_lines_of_logs(line: str, shown: str) -> None:
    assert redact_text(line) == shown
    assert redact_text(shown) == shown


@pytest.mark.parametrize("text", ["a", "key='", "key=[", "-", "a=", "key: Some(", "eyJa"])
def test_a_long_text_takes_no_time_that_grows_faster(text: str) -> None:
    began_s = time.process_time()
    redact_text(text * 100_000)
    assert time.process_time() - began_s < 20, "it was minutes when each letter began a name"


def test_secrets_of_a_command_line() -> None:
    words = ["env", "HF_TOKEN=zebra-1", "serve", "--api-key", "zebra-2", "zebra-3", "--password=zebra-4", "--key", "x"]
    assert secrets_in_words(words) == ("zebra-1", "zebra-2", "zebra-3", "zebra-4")


def test_an_environment() -> None:
    env = {
        "HF_TOKEN": "abcdef",
        "AWS_ACCESS_KEY_ID": "x",
        "VLLM_API_KEY": "",
        "TOKENIZERS_PARALLELISM": "1",
        "URL": "http://u:p@h",
    }
    assert redact_env(env) == env | {"HF_TOKEN": R, "AWS_ACCESS_KEY_ID": R, "URL": f"http://u:{R}@h"}
    assert secrets_in(env) == ("abcdef",), "a short or empty value looks like too much that is harmless"


@pytest.mark.parametrize("name", ["--api-key", "-hft", "API_KEY", "db.password", "secret_name", "--hf_token"])
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["--max-tokens", "--tokenizer", "--pad-token", "keyboard", "--keys-per-head", "author"]
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret(name)


secrets = st.text("abcdefgh12345678", min_size=8, max_size=12).map(lambda text: f"zz{text}")
plain = st.sampled_from(["serve", "--tp", "2", "-m", "a.gguf", "--flag", "http://h/x", '{"a":1}', "a b"])


@given(st.lists(plain, max_size=4), secrets, st.lists(plain, max_size=4), st.integers(0, 5))
def test_a_secret_never_comes_through(before: list[str], secret: str, after: list[str], form: int) -> None:
    forms = [
        ["--api-key", secret], [f"--api-key={secret}"], [f"HF_TOKEN={secret}"], [f"http://u:{secret}@h"],
        [f"sh --password {secret} x"], [f'{{"secret": "{secret}"}}'],
    ]  # fmt: skip
    words = (*before, *forms[form], *after)
    once = redact_words(words)
    assert secret not in " ".join(once)
    assert redact_words(once) == once, "what was taken out once stays as it is"
