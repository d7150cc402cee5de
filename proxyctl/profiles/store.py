"""The config file as a set of profiles and settings: read on first use, checked, and replaced whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from proxyctl.clock import Clock, SystemClock
from proxyctl.errors import ConfigError, UsageError
from proxyctl.profiles import config_file
from proxyctl.text import shown_url, visible
from proxyctl.toml_files import Places

SECRET_SOURCES = ("api_secret", "api_secret_command", "auth_token", "auth_token_command")
HIDDEN = "(hidden)"
CREDENTIAL_KEYS = tuple(
    key for key in config_file.PROFILE_KEYS if key.startswith(("account_", "api_", "auth_"))
)


def shown_value(key: str, value: Any) -> Any:
    """Return the value of a profile's key as it may be shown, wherever that is: no secret, and no password of a URL."""
    if key in config_file.SECRET_KEYS:
        return HIDDEN
    return shown_url(value) if key == "base_url" and value else value


class Change(NamedTuple):
    """What setting one key did besides: the profile that it made, and the stored secrets that it removed."""

    made: str | None = None
    replaced: tuple[str, ...] = ()


class ProfileStore:
    """Profiles and settings of one config file, which need not exist and is read when first needed.

    Every reading method raises ConfigError where the file is unsafe or wrong. Every writing method reads the
    file again under a lock, and raises OutputError where it can't be written; the old file is then as it was.
    """

    def __init__(self, path: Path | Callable[[], Path], *, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._loaded: tuple[dict[str, Any], str] | None = None

    @property
    def path(self) -> Path:
        """The config file; ConfigError where there is no home directory that could have one."""
        if callable(self._path):
            self._path = self._path()
        return self._path

    # Reading

    def profiles(self) -> dict[str, Mapping[str, Any]]:
        """Return the profiles of the file by name, as they stand there: secrets included, the sandbox not."""
        return dict(self._document().get("profiles", {}))

    def names(self) -> list[str]:
        """Return every name that a profile may be chosen by: those of the file, and the sandbox."""
        return [*self.profiles(), config_file.SANDBOX]

    def get(self, name: str) -> Mapping[str, Any]:
        """Return the table of one profile. Raises UsageError, with what is near, where there is none."""
        found = self.profiles().get(name)
        if found is None:
            raise self.unknown(name)
        return found

    def unknown(self, name: str, *, in_key: bool = False) -> UsageError:
        """Return the error for a profile that does not exist. A name ``in_key`` is not repeated: it may be a secret."""
        names = self.names()
        known = ", ".join(visible(one) for one in names[:20]) + (", …" if len(names) > 20 else "")
        what = "such profile" if in_key else f"profile {visible(name)!r}"
        return UsageError(
            f"there is no {what}{config_file.did_you_mean(name, names)}.",
            hint=f"The profiles are: {known}. 'proxyctl auth login --profile NAME' creates one.",
        )

    def protecting(self, account_sid: str) -> list[str]:
        """Return the names of the profiles that protect an account."""
        return [
            name
            for name, table in self.profiles().items()
            if table.get("protected") and table.get("account_sid", "").lower() == account_sid.lower()
        ]

    def default_profile(self) -> str | None:
        """Return the name that the file gives as the default; ConfigError where there is no such profile."""
        name: str | None = self._document().get("default_profile") or None
        if name is not None and name != config_file.SANDBOX and name not in self.profiles():
            raise ConfigError(
                f"{self.where('default_profile')}: default_profile is {visible(name)!r}, which does not exist"
                f"{config_file.did_you_mean(name, self.names())}.",
                hint="Choose one with 'proxyctl profile use NAME'.",
            )
        return name

    def default_output(self) -> str | None:
        """Return the output format that the file asks for."""
        return self._document().get("output")

    def get_value(self, key: str) -> str | bool | None:
        """Return the setting ``key`` (``output``, ``profiles.NAME.region``) to show, None where it is not set.

        Raises UsageError for a key or a profile that does not exist, and for secrets.
        """
        parts = config_file.split_key(key)
        table = self._document() if len(parts) == 1 else self.profiles().get(parts[1])
        if table is None:
            raise self.unknown(parts[1], in_key=True)
        value: str | bool | None = shown_value(parts[-1], table.get(parts[-1]))
        return value

    def settings(self) -> Iterator[tuple[str, str | bool]]:
        """Yield all settings with their keys, as they may be shown."""
        document = self._document()
        yield from (
            (key, document[key]) for key in config_file.TOP_KEYS if key in document and key != "profiles"
        )
        for name, table in self.profiles().items():
            for field, value in table.items():
                yield f"profiles.{name}.{field}", shown_value(field, value)

    def where(self, *parts: str) -> str:
        """Return ``FILE:LINE`` of a key, for errors about it."""
        return f"{self.path}:{Places(self._load()[1]).line(*parts)}"

    # Writing

    def save_profile(
        self,
        name: str,
        *,
        account_sid: str,
        secret: str,
        api_key: str | None = None,
        **settings: str | None,
    ) -> bool:
        """Save credentials under ``name`` in place of those there; its other ``settings`` stay unless given.

        The secret is the API key's where there is one, else the account's auth token. Returns true if this is
        the first profile, which then becomes the default.
        """
        config_file.check_name(name)
        given = {key: value for key, value in {"account_sid": account_sid, **settings}.items() if value}
        with self._change() as document:
            profiles = document.setdefault("profiles", {})
            kept = {key: value for key, value in profiles.get(name, {}).items() if key not in CREDENTIAL_KEYS}
            becomes_default = not profiles and not document.get("default_profile")
            pair = {"api_key": api_key, "api_secret": secret} if api_key else {"auth_token": secret}
            profiles[name] = {"account_sid": account_sid, **pair, **kept, **given}
            if becomes_default:
                document["default_profile"] = name
        return becomes_default

    def removable(self, name: str) -> Mapping[str, Any]:
        """Return the table of a profile that can be removed: UsageError for the sandbox, and for no profile."""
        if name == config_file.SANDBOX:
            raise UsageError(
                "the profile sandbox is built in and can't be removed.",
                hint="'proxyctl sandbox reset' empties the sandbox.",
            )
        return self.get(name)

    def remove(self, name: str) -> None:
        """Remove a profile with all that it holds, and the default if it was that."""
        with self._change() as document:
            self.removable(name)
            del document["profiles"][name]
            if document.get("default_profile") == name:
                del document["default_profile"]

    def remove_secrets(self, name: str) -> None:
        """Remove the secrets of a profile and the commands that print them; what is left can't sign in."""
        with self._change() as document:
            self.removable(name)
            for key in SECRET_SOURCES:
                document["profiles"][name].pop(key, None)

    def set_value(self, key: str, text: str) -> Change:
        """Set ``key`` to ``text``, or unset it where that is empty, and return what else that did.

        Only an account_sid makes a profile that does not exist. The command for its secret takes the place of the
        stored ones. Raises UsageError where key or value are wrong, or the command would not be used.
        """
        *table_of, field = config_file.split_key(key)
        name = config_file.check_name(table_of[-1]) if table_of else None
        value = config_file.parse_value(field, text) if text else None
        with self._change() as document:
            if field == "default_profile" and text and text not in self.names():
                raise self.unknown(text)
            made = name is not None and name not in self.profiles()
            if name is not None and made and (field != "account_sid" or value is None):
                raise self.unknown(name, in_key=True)
            table = document if name is None else document.setdefault("profiles", {}).setdefault(name, {})
            if value is None:
                table.pop(field, None)
                return Change()
            # With a command, no secret need lie on disk.
            used = f"{config_file.secret_key(table)}_command"
            if field.endswith("_command") and field != used:
                why = "signs in with its api_key" if table.get("api_key") else "has no api_key"
                what = f"profile {visible(str(name))!r} {why}, so {field} would not be used."
                raise UsageError(what, hint=f"Set {used}, or change the key first.")
            replaced = config_file.SECRET_KEYS & table.keys() if field == used else ()
            for secret in replaced:
                del table[secret]
            table[field] = value
        return Change(name if made else None, tuple(sorted(replaced)))

    # Within

    def _document(self) -> dict[str, Any]:
        return self._load()[0]

    def _load(self) -> tuple[dict[str, Any], str]:
        """Return the document and its text, which are read once."""
        if self._loaded is None:
            data = self._data()
            document: dict[str, Any] = {}
            text = ""
            if data is not None:
                document, text = config_file.parse(data, self.path)
                config_file.check_document(document, text, self.path)
            self._loaded = document, text
        return self._loaded

    def _data(self) -> bytes | None:
        try:
            path = self.path
        except ConfigError:  # Without a home directory there is no config, and the environment may do.
            return None
        return config_file.read_private(path)

    @contextmanager
    def _change(self) -> Iterator[dict[str, Any]]:
        with config_file.only_writer(self.path, self._clock):
            self._loaded = None
            document = deepcopy(self._document())
            yield document
            if document != self._document():
                config_file.replace(self.path, self._dumped(document))
                self._loaded = None

    def _dumped(self, document: dict[str, Any]) -> bytes:
        """Return the file for ``document``, after making sure that it can be read again."""
        import tomli_w

        data = tomli_w.dumps(document).encode()
        if len(data) > config_file.LARGEST_FILE or config_file.parse(data, self.path)[0] != document:
            raise UsageError("this value does not fit into the config file. Nothing was changed.")
        return data
