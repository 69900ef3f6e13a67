"""Settings: wrong ones are said in a sentence, secrets are made once and kept to ourselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from usher.config import Config, load
from usher.core.given import ConfigError

SECRET = "s" * 40
PEPPER = "p" * 40
POSTGRESQL = {"DATABASE_URL": "postgresql://u:hush@h/db", "USHER_SECRET_KEY": SECRET, "USHER_PEPPER": PEPPER}
ONLINE = {"USHER_LISTEN": "0.0.0.0:8000", "USHER_BASE_URL": "https://usher.school.example"}

BAD: list[tuple[dict[str, str], str]] = [
    ({"DATABASE_URL": "mysql://u:hush@h/db"}, "DATABASE_URL begins with “mysql”"),
    ({"DATABASE_URL": "hush"}, "DATABASE_URL is not an address"),
    ({"DATABASE_URL": "sqlite://"}, "names no database"),
    ({"DATABASE_URL": "sqlite:///:memory:"}, "names no database"),
    ({**POSTGRESQL, "DATABASE_URL": "postgresql://u:hush@h"}, "names no database"),
    ({**POSTGRESQL, "DATABASE_URL": "postgresql://u:hush@h:port/db"}, "cannot be read as an address"),
    ({**POSTGRESQL, "USHER_SECRET_KEY": ""}, "USHER_SECRET_KEY must be given with PostgreSQL"),
    ({**POSTGRESQL, "USHER_PEPPER": " , "}, "USHER_PEPPER must be given with PostgreSQL"),
    ({"USHER_SECRET_KEY": "hush"}, "USHER_SECRET_KEY is shorter than 32 characters"),
    ({"USHER_PEPPER": f"{PEPPER},hush"}, "USHER_PEPPER is shorter than 32 characters"),
    ({"USHER_PEPPER": f"{PEPPER},{PEPPER}"}, "the same value twice"),
    ({"USHER_PEPPER": SECRET, "USHER_SECRET_KEY": SECRET}, "are the same"),
    ({"USHER_BASE_URL": "usher.school.example"}, "write it like https://"),
    ({"USHER_BASE_URL": "ftp://usher.school.example"}, "write it like https://"),
    ({"USHER_BASE_URL": "https://school.example/usher"}, "must end after the host; use https://school.example"),
    ({"USHER_BASE_URL": "https://*.school.example"}, "name the one host"),
    ({"USHER_BASE_URL": "https://school.example:x"}, "cannot be read as an address"),
    ({"USHER_BASE_URL": "http://school.example"}, "passwords would cross the network unprotected"),
    ({"USHER_LISTEN": "8000"}, "write host and port"),
    ({"USHER_LISTEN": "*:8000"}, "write 0.0.0.0"),
    ({"USHER_LISTEN": "127.0.0.1:99999"}, "cannot be read as an address"),
    ({"USHER_LISTEN": "0.0.0.0:8000"}, "set USHER_BASE_URL"),
    ({"USHER_LISTEN": "0.0.0.0:8000", "USHER_BASE_URL": "http://localhost:8000"}, "unprotected"),
    ({**ONLINE, "USHER_DEMO": "1"}, "USHER_DEMO fills Usher with well-known passwords"),
    ({"USHER_BASE_URL": "https://usher.school.example", "USHER_DEMO": "1"}, "USHER_DEMO fills"),
    ({"USHER_DEMO": "perhaps"}, "USHER_DEMO cannot be used: give 1 or 0."),
    ({"USHER_TRUSTED_PROXY_HOPS": "-1"}, "USHER_TRUSTED_PROXY_HOPS cannot be used: give 0 or more."),
    ({"USHER_TRUSTED_PROXY_HOPS": "one"}, "give a whole number"),
    ({"USHER_IMPORT_MAX_MB": "51"}, "give 50 or less"),
    ({"USHER_WEB_PROCESSES": "0"}, "give 1 or more"),
    ({"USHER_LOG_LEVEL": "loud"}, "give one of 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ({"USHER_SMTP_URL": "mail.example"}, "must look like smtp+tls://"),
    ({"USHER_SMTP_URL": "smtps://u@mail.example"}, "give both or neither"),
    ({"USHER_SMTP_URL": "smtp://u:hush@mail.example"}, "unprotected"),
    ({"USHER_MAIL_FROM": "Cedar School"}, "must look like usher@school.example"),
    ({"USHER_MAIL_FROM": "usher@cedar.example\nBcc: x@y.example"}, "must look like usher@school.example"),
    ({"USHER_BASEURL": "https://school.example"}, "did you mean USHER_BASE_URL?"),
]


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is set but an empty data directory."""
    for name in [name for name in os.environ if name.startswith("USHER_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("USHER_DATA_DIR", str(tmp_path / "var"))
    return tmp_path / "var"


def given(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> Config:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return load()


@pytest.mark.parametrize(("environ", "sentence"), BAD, ids=[s for _, s in BAD])
def test_a_bad_setting_is_one_sentence(
    environ: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        given(monkeypatch, environ)
    assert len(caught.value.sentences) == 1
    assert sentence in caught.value.sentences[0]
    assert "hush" not in str(caught.value), "a sentence may end in a log: no secret in it"
    assert not data_dir.exists(), "nothing is made before the settings are right"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        POSTGRESQL,
        {**POSTGRESQL, **ONLINE},
        ONLINE,
        {"USHER_LISTEN": "[::1]:8000"},
        {"USHER_BASE_URL": "https://usher.school.example/"},
        {"USHER_SMTP_URL": "smtp://127.0.0.1:25"},
        {"USHER_MAIL_FROM": "usher@cedar.example"},
        {"USHER_MAIL_FROM": "Cedar School <usher@cedar.example>"},
        {"USHER_DEMO": "1", "USHER_LISTEN": "127.0.0.1:9000"},
        {"USHER_SERVICE_PORT": "tcp://10.0.0.1:80"},
    ],
)
def test_good_settings_stand(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not given(monkeypatch, environ).base_url.endswith("/")


def test_all_wrong_settings_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        given(monkeypatch, {"USHER_TRUSTED_PROXY_HOPS": "-1", "USHER_BASE_URL": "x", "USHER_DEMO": "?"})
    assert len(caught.value.sentences) == 3


def test_the_embedded_default_makes_its_secrets_once(data_dir: Path) -> None:
    first, second = load(), load()
    assert first.secret_key == second.secret_key
    assert first.pepper == second.pepper
    assert first.secret_key not in first.pepper
    keys = data_dir / "keys"
    assert sorted(file.name for file in keys.iterdir()) == ["pepper", "secret_key"]
    assert {oct(file.stat().st_mode & 0o777) for file in keys.iterdir()} == {"0o600"}
    assert keys.stat().st_mode & 0o077 == data_dir.stat().st_mode & 0o077 == 0
    assert keys != first.sqlite_path.parent, "the pepper lies apart from the database"


def test_a_given_secret_is_not_written_down(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    made = given(monkeypatch, {"USHER_PEPPER": f"{PEPPER}, {SECRET}"})
    assert [part.get_secret_value() for part in made.pepper] == [PEPPER, SECRET]
    assert not (data_dir / "keys" / "pepper").exists()
    assert PEPPER not in repr(made)


@pytest.mark.parametrize(
    ("content", "mode", "sentence"), [("", 0o600, "is empty or damaged"), (SECRET, 0o644, "chmod 600")]
)
def test_a_bad_key_file_is_never_replaced(content: str, mode: int, sentence: str, data_dir: Path) -> None:
    load()
    file = data_dir / "keys" / "pepper"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=sentence):
        load()
    assert file.read_text() == content


RACE = """
from multiprocessing import get_context
from usher.config import load
fork = get_context("fork")
start = fork.Barrier(8)
def run(_):
    start.wait()
    made = load()
    return made.secret_key.get_secret_value() + made.pepper[0].get_secret_value()
with fork.Pool(8) as pool:
    print(len(set(pool.map(run, range(8), chunksize=1))))
"""


def test_eight_processes_starting_at_once_agree(data_dir: Path) -> None:
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "1"
    assert sorted(file.name for file in (data_dir / "keys").iterdir()) == ["pepper", "secret_key"]


def test_the_command_says_it_without_a_traceback() -> None:
    environ = {**os.environ, "DATABASE_URL": "mysql://h/db"}
    done = subprocess.run(
        [sys.executable, "-m", "usher", "serve"], env=environ, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "DATABASE_URL begins with “mysql”; give postgresql://user:password@host/name or sqlite:///path."
    ]


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Config.model_fields.items() if not field.description] == []
