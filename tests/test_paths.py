"""Where files go, and what is said where there is no place for them."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from proxyctl.errors import ConfigError
from proxyctl.files import Paths


def test_variables_name_the_files(tmp_path: Path) -> None:
    paths = Paths({"PROXYCTL_CONFIG": str(tmp_path / "c.toml"), "PROXYCTL_STATE_DIR": str(tmp_path / "s")})
    assert paths.config_file == tmp_path / "c.toml"
    assert paths.state_dir == paths.data_dir == tmp_path / "s"


def test_relative_paths_are_taken_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Paths({"PROXYCTL_CONFIG": "c.toml"}).config_file == tmp_path / "c.toml"


def test_standard_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.delenv(f"XDG_{kind}_HOME", raising=False)
    paths = Paths({"PROXYCTL_CONFIG": "", "PROXYCTL_STATE_DIR": ""})
    assert paths.config_file.name == "config.toml"
    for path in (paths.config_file, paths.state_dir, paths.data_dir):
        assert path.is_relative_to(tmp_path) and "proxyctl" in path.parts
    assert list(tmp_path.iterdir()) == []


def test_no_home_is_an_error_only_when_a_path_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_uid: int) -> pwd.struct_passwd:
        raise KeyError("no such user")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    paths = Paths({})
    with pytest.raises(ConfigError) as caught:
        _ = paths.config_file
    assert "PROXYCTL_CONFIG" in str(caught.value.hint)
    with pytest.raises(ConfigError, match="no home directory"):
        _ = paths.state_dir
    assert Paths({"PROXYCTL_STATE_DIR": "/s"}).state_dir == Path("/s")
