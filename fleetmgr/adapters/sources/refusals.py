"""Why a source is not read."""

from __future__ import annotations

from fleetmgr.errors import FleetError, Refused


class SourceNotFound(FleetError):
    """The path of a source does not exist."""

    code = "FLT-1201"


class SourceTooLarge(FleetError):
    """More or larger files than a source may have."""

    code = "FLT-1202"


class SourceUnreadable(FleetError):
    """The system refuses to read a file, or a link leads nowhere."""

    code = "FLT-1203"


class SourceEscapes(Refused):
    """The tree holds a link, or the path is one, that leaves the repository: nothing of it is read."""

    code = "FLT-5010"


class SpecialFile(Refused):
    """A pipe, socket or device where a manifest should be: opening it could hang or act."""

    code = "FLT-5011"


class RemoteDenied(Refused):
    """A kustomization names something outside the repository: an address, a Git reference."""

    code = "FLT-5012"


class PluginDenied(Refused):
    """A kustomization asks kustomize to run another program, or a plugin that reads further files."""

    code = "FLT-5013"
