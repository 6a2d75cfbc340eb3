"""One session's mapping in a sealed file, so that ``restore`` can run in another process than ``redact``.

An interim until the durable vaults: the whole session is read into memory and written at once. The file has mode
0600 from its first byte on and is never replaced unless asked.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from sovguard.errors import ConfigError, InvalidRecord
from sovguard.private_files import placed
from sovguard.vault.crypto import seal_with_passphrase, unseal_with_passphrase
from sovguard.vault.memory import MemoryVault
from sovguard.vault.store import SessionRef


def check_place(path: Path, *, replace: bool = False) -> None:
    """Return if a mapping can be written to ``path``, as far as can be told before.

    Raises:
        ConfigError: Something is there and ``replace`` is false, or there is no such folder.
    """
    if os.path.lexists(path) and not (replace and path.is_file()):
        raise ConfigError(f"{path} exists; name another file")
    if not path.parent.is_dir():
        raise ConfigError(f"mapping file {path} cannot be written: its folder does not exist; make it first")


def write_mapping(
    path: Path, vault: MemoryVault, session: SessionRef, passphrase: str, *, replace: bool = False
) -> None:
    """Write the mapping of ``session`` to ``path``, sealed under ``passphrase``, in one step.

    Args:
        path: Where to.
        vault: The vault that holds the session.
        session: Which session; it may be empty.
        passphrase: What opens the file again.
        replace: Put it in the place of an existing file.

    Raises:
        ConfigError: The file exists and ``replace`` is false, it cannot be written, or the passphrase is empty.
    """
    if not passphrase:
        raise ConfigError("the passphrase of a mapping file must not be empty; choose one")
    check_place(path, replace=replace)
    vault.open(session)
    plain = json.dumps({"tenant": session.tenant, "session": session.session_id, **vault.dump(session)})
    sealed = seal_with_passphrase(plain.encode("utf-8"), passphrase)
    try:
        with placed(path, replaces=replace) as made:
            made.write_bytes(sealed)
    except FileExistsError:
        raise ConfigError(f"{path} has just been made by another program; name another file") from None
    except OSError as error:
        raise ConfigError(
            f"mapping file {path} cannot be written ({error.strerror}); name another place"
        ) from None


def read_mapping(path: Path, passphrase: str) -> tuple[MemoryVault, SessionRef]:
    """Return a vault that holds the session of the file, and which session that is.

    Raises:
        ConfigError: The file cannot be read.
        InvalidRecord: The passphrase is wrong, or the file was changed.
    """
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"mapping file {path} cannot be read ({error.strerror}); check its name") from None
    plain = unseal_with_passphrase(sealed, passphrase)
    try:
        content = json.loads(plain)
        session = SessionRef(content.pop("tenant"), content.pop("session"))
        vault = MemoryVault()
        vault.load(session, content)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidRecord(
            "the mapping file holds something else than this version of sovguard writes; "
            "use the version that wrote it"
        ) from None
    return vault, session
