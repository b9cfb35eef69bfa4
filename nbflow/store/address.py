"""Address: where a store is, in one string: a folder, or a PostgreSQL database."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from nbflow.errors import store_error

_SCHEMES = ("postgresql", "postgres")
#: what an address may hold and nobody but the database is told
_SECRETS = ("password", "sslpassword")

#: the passwords that came in addresses, by the address without
_PASSWORDS: dict[str, str] = {}


def is_database(location: str | Path) -> bool:
    """Whether this is the address of a database, and no folder; a `StoreError` for any other."""
    scheme, separator, _ = str(location).partition("://")
    if not separator:
        return False
    if scheme not in _SCHEMES:
        raise store_error(
            f"A store cannot be at {without_secrets(str(location))}.",
            "Its records are in a folder or in a database at postgresql://HOST/NAME; its values "
            "may be elsewhere: NBFLOW_OBJECTS=s3://BUCKET/FOLDER.",
        )
    return True


def keep_password(location: str) -> str:
    """The address without its password, which this process keeps in mind."""
    parts = urlsplit(location)
    password = dict(parse_qsl(parts.query)).get("password")
    if password is None and parts.password is not None:
        password = unquote(parts.password)
    plain = without_secrets(location)
    if password:
        _PASSWORDS[plain] = password
    return plain


def password_of(address: str) -> str | None:
    """The password that came with this address; None leaves it to libpq to find one."""
    return _PASSWORDS.get(address)


def password_worked(address: str, worked: bool) -> None:
    """Hand a password that was right on to the processes that this one starts; forget a wrong one.

    They get it by the environment, as libpq has it, since only `Store.url` goes to them.
    """
    if not worked:
        _PASSWORDS.pop(address, None)
    elif address in _PASSWORDS:
        os.environ.setdefault("PGPASSWORD", _PASSWORDS[address])


def without_secrets(location: str) -> str:
    """The address with neither password nor other secrets, so that it may be shown and kept."""
    parts = urlsplit(location)
    who, at, where = parts.netloc.rpartition("@")
    user = who.partition(":")[0]
    asked = [(name, value) for name, value in parse_qsl(parts.query) if name not in _SECRETS]
    scheme = "postgresql" if parts.scheme in _SCHEMES else parts.scheme
    netloc = f"{user}@{where}" if at and user else where
    query = urlencode(asked, quote_via=quote, safe="/")
    # `urlunsplit` would lose the empty host of postgresql:///name
    plain = f"{scheme}://{netloc}{parts.path}"
    return urlunsplit(("", "", plain, query, "")) if query else plain


def cache_folder(address: str) -> Path:
    """The folder of this machine for what is read from a database's store more than once."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "nbflow", "stores", blake2b(address.encode(), digest_size=8).hexdigest())
