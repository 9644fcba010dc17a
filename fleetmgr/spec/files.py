"""Our own files below the folder of fleet.yaml: read once, never outside it, every problem kept."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fleetmgr.errors import InvalidInput, Problem, Where
from fleetmgr.spec.plain import Json
from fleetmgr.spec.yaml_guard import FLEET_LIMITS
from fleetmgr.spec.yaml_tree import Place, read

CODE = "FLT-1002"


class Files:
    """Reads files by their path relative to ``root``; ``read`` remembers which, ``problems`` what was wrong."""

    def __init__(self, root: Path, main: str, problems: list[Problem]) -> None:
        """``root`` is the resolved folder of fleet.yaml, ``main`` its name there."""
        self.root = root
        self.main = main
        self.problems = problems
        self.names: set[str] = set()

    def read(self, name: str, *, by: Place | None = None) -> tuple[Place | None, Json]:
        """Root node and data of the file, or (None, None) after adding a problem at ``by``."""
        where = by.where() if by else Where(file=name)
        self.names.add(name)
        try:
            text = self._bytes(name)
        except OSError as error:
            self._problem(f"cannot read {name}: {error.strerror or 'not a regular file'}", where)
            return None, None
        try:
            place, data = read(text, name=name, problems=self.problems)
        except InvalidInput as error:
            self.problems += error.problems
            return None, None
        if place is None:
            self._problem(f"{name} is empty", Where(file=name, line=1, column=1))
        return place, data

    def matching(self, pattern: str, *, by: Place) -> list[str]:
        """Files that ``pattern`` names, sorted; a problem at ``by`` when there are none or they are outside."""
        parts = PurePosixPath(pattern).parts
        if not parts or pattern.startswith(("/", "~")) or ".." in parts or "\\" in pattern:
            self._problem(
                f"include `{pattern[:200]}` leaves the folder of fleet.yaml",
                by.where(),
                "include files below it, with `/` between folders",
            )
            return []
        try:
            found = sorted(
                p.relative_to(self.root).as_posix() for p in self.root.glob(pattern) if p.is_file()
            )
        except (OSError, ValueError) as error:
            self._problem(f"include `{pattern[:200]}` is no pattern: {error}", by.where())
            return []
        if not found:
            self._problem(f"include `{pattern[:200]}` matches no file", by.where(), "relative to fleet.yaml")
        if self.main in found:
            message = f"include `{pattern[:200]}` matches {self.main} itself"
            self._problem(message, by.where(), "keep included files in a folder, such as clusters/*.yaml")
            found.remove(self.main)
        return [name for name in found if self.inside(name, by=by)]

    def inside(self, name: str, *, by: Place | None = None) -> bool:
        """Whether the file really lies below ``root``; adds a problem when a link leads out."""
        if (self.root / name).resolve().is_relative_to(self.root):
            return True
        where = by.where() if by else Where(file=name)
        self._problem(f"{name} is a link that leaves the folder of fleet.yaml", where, "use a regular file")
        return False

    def _bytes(self, name: str) -> bytes:
        path = self.root / name
        if path.exists() and not path.is_file():
            raise OSError
        with path.open("rb") as stream:
            return stream.read(FLEET_LIMITS.size + 1)

    def _problem(self, message: str, where: Where, hint: str | None = None) -> None:
        self.problems.append(Problem(message=message, where=where, hint=hint, code=CODE))
