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
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
        ('{"api_key": "plainly"}', "plainly"),
        ("dbPassword: 'hunter22'", "hunter22"),
        ("mysql --password hunter22 -u app", "hunter22"),
        ("deploy --auth-token=hunter22", "hunter22"),
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


def test_a_secret_that_is_nested_or_itself_a_key_is_masked_too() -> None:
    value = {
        "accessToken": "a",
        "clientSecret": "b",
        "credentials": {"user": "me", "list": ["c", 7], "none": None},
        "maxTokens": "many",
        "AKIAIOSFODNN7EXAMPLE": 1,
        "AKIAIOSFODNN7EXAMPLF": 2,
    }
    assert redact(value) == {
        "accessToken": "[redacted: secret]",
        "clientSecret": "[redacted: secret]",
        "credentials": {"user": "[redacted: secret]", "list": ["[redacted: secret]", 7], "none": None},
        "maxTokens": "many",
        "[redacted: AWS access key]": 1,
        "[redacted: AWS access key]'": 2,
    }


def test_ordinary_text_stays_as_it_is() -> None:
    text = "The secretary asked: which token of the sentence matters? task-force sk-1"
    assert redact_text(text) == text
