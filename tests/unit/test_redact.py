import pytest

from lastgood.core.redact import redact, redact_text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key AKIAIOSFODNN7EXAMPLE here", "AKIAIOSFODNN7EXAMPLE"),
        ("sk-ant-api03-abcdefghijklmnopqrstuvwx", "abcdefghijklmnop"),
        ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"),
        ("postgres://app:hunter22@db/prod", "hunter22"),
        ("export API_KEY=s3cr3tvalue", "s3cr3tvalue"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\nAAAA\n-----END RSA PRIVATE KEY-----", "MIIB"),
        ("-----BEGIN PRIVATE KEY-----\nMIIBcut off", "MIIB"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "eyJzdWIi"),
    ],
)
def test_a_credential_is_masked_and_named(text: str, secret: str) -> None:
    shown = redact_text(text)
    assert secret not in shown
    assert "[redacted: " in shown


def test_keys_that_name_a_secret_hide_their_text_and_nothing_else_changes() -> None:
    value = {
        "api_key": "plain",
        "tokens_used": 12,
        "token": "abc",
        "max_tokens": "many",
        "list": [{"password": "x"}, 1.5],
    }
    assert redact(value) == {
        "api_key": "[redacted: secret]",
        "tokens_used": 12,
        "token": "[redacted: secret]",
        "max_tokens": "many",
        "list": [{"password": "[redacted: secret]"}, 1.5],
    }


def test_ordinary_text_stays_as_it_is() -> None:
    text = "The secretary asked: which token of the sentence matters? task-force sk-1"
    assert redact_text(text) == text
