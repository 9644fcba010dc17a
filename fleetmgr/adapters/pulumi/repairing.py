"""What a kill can break in a `file://` backend.

Its state files are replaced at once, but beside each is one with the file's content type that is not (gocloud.dev,
fileblob/attrs.go): a CLI that is killed while it writes that one leaves it empty, and the stack cannot be read any more
("failed to load checkpoint: EOF"). It holds nothing that is needed.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

_FILE = "file://"


def repaired(backend: str, *, project: str, stack: str) -> bool:
    """Whether something was repaired, so that the stack is worth another look."""
    if not backend.startswith(_FILE):
        return False
    folder = Path(unquote(backend.removeprefix(_FILE).partition("?")[0])) / ".pulumi" / "stacks" / project
    broken = [path for path in folder.glob(f"{stack}.*.attrs") if not _whole(path)]
    for path in broken:
        path.unlink(missing_ok=True)
    return bool(broken)


def _whole(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    except OSError:
        return True
    return True
