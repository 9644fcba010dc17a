"""Files that a reader sees whole, as they were or as they are to be, whatever happens to the writer."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600


def write_whole(path: Path, content: bytes, *, mode: int = PRIVATE, durable: bool = True) -> None:
    """Write beside ``path``, which may be there, and rename; its folder must be there. Raises OSError.

    The file is nobody else's from its first byte on and gets ``mode`` at its end. ``durable`` False: after a crash of
    the machine it may be cut off.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if mode != PRIVATE:
            Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
