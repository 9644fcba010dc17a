"""What the keys of ``engine`` say together, and what is wrong with them beyond their form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.spec.plain import seconds

if TYPE_CHECKING:
    from fleetmgr.spec.engine import Engine
    from fleetmgr.spec.fleet import Environment, Fleet
    from fleetmgr.spec.loaded import Places
    from fleetmgr.spec.yaml_tree import Key

CANNOT_WORK = "FLT-1004"


class EngineSettings(Struct, frozen=True, kw_only=True):
    """What holds of ``engine``, field by field as ``spec.engine.Engine``; None where nobody says anything."""

    type: Literal["embedded", "pulumi"] | None = None
    backend: str | None = None
    organization: str | None = None
    secrets_provider: str | None = None
    parallel: int | None = None
    max_stacks: int | None = None
    timeout: str | None = None


def engine_in(fleet: Fleet, environment: str) -> EngineSettings:
    """What holds in ``environment``: each key as it says, else as the fleet says, None where nobody does."""
    layers = [fleet.engine, *(e.engine for e in fleet.environments if e.name == environment)]
    said = {
        name: getattr(layer, name) for layer in layers if layer is not None for name in layer.model_fields_set
    }
    return EngineSettings(**said)


def is_cloud(backend: str | None) -> bool:
    """Whether ``backend`` is Pulumi Cloud (or one that speaks its API), which has organizations."""
    return backend is not None and backend.startswith(("https://", "http://"))


def check_engines(fleet: Fleet, places: Places) -> Iterator[Problem]:
    """Timeouts of nothing, and organizations where there are none."""
    for engine, path in _written(fleet):
        if engine.timeout is not None and seconds(engine.timeout) == 0:
            place = places.find(*path, "timeout")
            yield place.problem("`timeout` must be more than zero", code=CANNOT_WORK)
    for environment in fleet.environments:
        effective = engine_in(fleet, environment.name)
        if effective.organization is not None and not is_cloud(effective.backend):
            place = places.find(*_layer(environment, "organization"), "organization")
            message = f"`organization` needs Pulumi Cloud, and the backend of {environment.name} is another"
            yield place.problem(message, code=CANNOT_WORK, hint="set backend: https://api.pulumi.com")


def _written(fleet: Fleet) -> Iterator[tuple[Engine, tuple[Key, ...]]]:
    if fleet.engine is not None:
        yield fleet.engine, ("engine",)
    for environment in fleet.environments:
        if environment.engine is not None:
            yield environment.engine, ("environments", environment.name, "engine")


def _layer(environment: Environment, field: str) -> tuple[Key, ...]:
    """Where ``field`` was written that holds in ``environment``."""
    own = environment.engine
    if own is not None and field in own.model_fields_set:
        return ("environments", environment.name, "engine")
    return ("engine",)
