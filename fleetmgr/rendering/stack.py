"""Targets of one cluster entry -> its Stack.

Every problem of every app is collected before anything is refused. A fleet is rendered one Stack at a time;
what the Stacks have in common lives in the ParseCache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.model.applyset import app_id
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.objects import ObjectKey, Origin
from fleetmgr.model.ordering import PLAIN
from fleetmgr.model.resource import Hook, Resource, Stack, StackApp
from fleetmgr.model.target import FetchRequest, Target
from fleetmgr.rendering.cache import ParseCache, Source, namespace_object, resolve_manifest
from fleetmgr.rendering.kinds import CRD, NAMESPACE, Scopes
from fleetmgr.rendering.options import OptionsTable
from fleetmgr.rendering.ordering import Placed, ordering_problems
from fleetmgr.rendering.prepare import Prepared, Setting, prepare, with_part_of
from fleetmgr.rendering.unmatched import Wanted

TWO_OWNERS = "FLT-1312"
NO_OBJECTS = "FLT-1353"
IDLE_RULE = "FLT-1113"


def render_stack(
    fleet: str,
    cluster: str,
    environment: str,
    targets: Sequence[Target],
    artifacts: Mapping[FetchRequest, Artifact],
    cache: ParseCache,
) -> Stack:
    """All Resources of ``cluster``. ``targets`` are its own only; ``artifacts`` hold each one's source.

    Raises InvalidInput with everything that is wrong in manifests, overlays and variables, and with every
    object that two apps (or one app twice) declare.
    """
    ordered = in_dependency_order(targets)
    sources = {target.app: cache.source(artifacts[target.source], target.overlay) for target in ordered}
    scopes = Scopes(kind for source in sources.values() for kind in source.custom_kinds)
    build = _StackBuild(fleet, cluster, scopes, cache)
    for target in ordered:
        build.app(target, sources[target.app], artifacts[target.source])
    return build.finish(environment)


def in_dependency_order(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Dependencies first, otherwise as given. Cycles and missing apps are expansion's to refuse."""
    by_app = {target.app: target for target in targets}
    order: dict[str, Target] = {}
    stack = [(target, False) for target in reversed(targets)]
    seen: set[str] = set()
    while stack:
        target, ready = stack.pop()
        if ready:
            order.setdefault(target.app, target)
        elif target.app not in seen:
            seen.add(target.app)
            stack.append((target, True))
            stack += [(by_app[app], False) for app in reversed(target.depends_on) if app in by_app]
    return tuple(order.values())


class _StackBuild:
    """Gathers Resources and problems over the apps of one Stack."""

    def __init__(self, fleet: str, cluster: str, scopes: Scopes, cache: ParseCache) -> None:
        self._fleet = fleet
        self._cluster = cluster
        self._scopes = scopes
        self._cache = cache
        self._apps: list[StackApp] = []
        self._found: list[tuple[Target, list[tuple[Prepared, Origin]]]] = []
        self._owners: dict[ObjectKey, tuple[str, Origin]] = {}
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}

    def app(self, target: Target, source: Source, artifact: Artifact) -> None:
        """Everything that ``target`` gives."""
        self._warnings.update(dict.fromkeys(source.parsed.warnings))
        self._problems.update(dict.fromkeys(source.parsed.problems))
        setting = Setting(
            fleet=self._fleet,
            namespace=target.namespace,
            overlay=target.overlay,
            neighbours=source.neighbours,
            scopes=self._scopes,
        )
        objects = self._owned_namespace(target, setting)
        objects += self._objects(target, source, setting)
        objects.sort(key=_by_type_and_name)
        for prepared, origin in objects:
            self._claim(prepared, origin, target.app)
        if not objects and not source.parsed.problems:
            message = f"app `{target.app}` has no objects: nothing in `{target.source.path}` is one"
            self._warnings[Problem(message=message, where=target.source_where, code=NO_OBJECTS)] = None
        self._note_idle_rules(target, objects)
        self._found.append((target, objects))
        self._apps.append(
            StackApp(
                name=target.app,
                namespace=target.overlay.namespace or target.namespace,
                create_namespace=target.create_namespace,
                depends_on=target.depends_on,
                policy=target.policy,
                timeout=target.timeout,
                adopt=target.adopt,
                revision=artifact.revision,
                artifact_digest=artifact.digest,
                render_digest=_digest(objects),
            )
        )

    def finish(self, environment: str) -> Stack:
        """The Stack, or every problem at once."""
        self._check_order()
        if self._problems:
            raise InvalidInput(tuple(self._problems))
        resources, hooks = self._resources()
        return Stack(
            fleet=self._fleet,
            cluster=self._cluster,
            environment=environment,
            apps=tuple(self._apps),
            resources=resources,
            hooks=hooks,
            warnings=tuple(self._warnings),
        )

    def _check_order(self) -> None:
        if all(p.ordering is PLAIN for _, objects in self._found for p, _ in objects):
            return
        placed = [
            Placed(app=t.app, ref=p.ref, origin=origin, ordering=p.ordering, depends_on=t.depends_on)
            for t, objects in self._found
            for p, origin in objects
        ]
        self._problems.update(dict.fromkeys(ordering_problems(placed, self._cluster)))

    def _objects(self, target: Target, source: Source, setting: Setting) -> list[tuple[Prepared, Origin]]:
        number = self._cache.setting_number(setting)
        wanted = Wanted(target)
        objects: list[tuple[Prepared, Origin]] = []
        for index, manifest in enumerate(source.parsed.manifests):
            resolved = None
            if target.substitute and manifest.slots:
                resolved = resolve_manifest(manifest, target.variables, cluster=self._cluster)
            prepared = self._cache.prepared(source, index, setting, number, resolved)
            if wanted.excludes(prepared):
                continue
            wanted.saw(prepared)
            objects.append((prepared, manifest.origin))
            if resolved is not None and resolved.problems:
                self._problems.update(dict.fromkeys(resolved.problems))
            self._note(prepared)
        if not source.parsed.problems:
            self._problems.update(dict.fromkeys(wanted.problems()))
        return objects

    def _note_idle_rules(self, target: Target, objects: list[tuple[Prepared, Origin]]) -> None:
        """A rule about differences that is about no object is most often a slip in a kind or a name."""
        for rule in target.policy.ignore:
            if objects and not any(rule.matches(prepared.ref) for prepared, _ in objects):
                named = "/".join(part for part in (rule.group, rule.kind, rule.namespace, rule.name) if part)
                message = f"ignoreDifferences of app `{target.app}`: no object is {named}"
                self._warnings[Problem(message=message, where=target.where, code=IDLE_RULE)] = None

    def _note(self, prepared: Prepared) -> None:
        if prepared.problems:
            self._problems.update(dict.fromkeys(prepared.problems))
        if prepared.warnings:
            self._warnings.update(dict.fromkeys(prepared.warnings))

    def _owned_namespace(self, target: Target, setting: Setting) -> list[tuple[Prepared, Origin]]:
        owned = target.owned_namespace
        if owned is None:
            return []
        name = target.overlay.namespace or target.namespace
        body = namespace_object(name, labels=dict(owned.labels), annotations=dict(owned.annotations))
        where = target.where
        origin = Origin(file=where.file or "fleet.yaml", line=where.line or 1, column=where.column or 1)
        prepared = prepare(body, origin, setting)
        self._note(prepared)
        return [(prepared, origin)]

    def _claim(self, prepared: Prepared, origin: Origin, app: str) -> None:
        key = prepared.ref.key
        other = self._owners.setdefault(key, (app, origin))
        if other[1] is origin and other[0] == app:
            return
        first, place = other
        told = (
            f"app `{app}` declares it twice"
            if first == app
            else f"apps `{first}` and `{app}` both declare it"
        )
        self._problems[
            Problem(
                message=f"{told}: here and in {place.where()}",
                where=origin.where(obj=prepared.ref.short, cluster=self._cluster),
                hint="an object has one owner: take it out of one place, or name it in that app's `exclude`",
                code=TWO_OWNERS,
            )
        ] = None

    def _resources(self) -> tuple[tuple[Resource, ...], tuple[Hook, ...]]:
        all_prepared = [prepared for _, objects in self._found for prepared, _ in objects]
        table = OptionsTable(
            namespaces={
                p.ref.name: (p.type, p.name) for p in all_prepared if p.ref.key.group_kind == NAMESPACE
            },
            definitions={p.ref.name: (p.type, p.name) for p in all_prepared if p.ref.key.group_kind == CRD},
            scopes=self._scopes,
        )
        resources: list[Resource] = []
        hooks: list[Hook] = []
        for target, objects in self._found:
            part_of = app_id(self._fleet, self._cluster, target.app)
            for prepared, origin in objects:
                resource = Resource(
                    type=prepared.type,
                    name=prepared.name,
                    inputs=with_part_of(prepared.body, part_of),
                    options=table.options(prepared.ref),
                    ref=prepared.ref,
                    app=target.app,
                    origin=origin,
                )
                if prepared.ordering.phases is None:
                    resources.append(resource)
                else:
                    hooks.append(Hook(resource=resource, ordering=prepared.ordering))
        return tuple(resources), tuple(hooks)


def _by_type_and_name(item: tuple[Prepared, Origin]) -> tuple[str, str]:
    return item[0].type, item[0].name


def _digest(objects: list[tuple[Prepared, Origin]]) -> str:
    """Over the objects' canonical JSON without the part-of label: equal content is equal on all clusters."""
    digest = hashlib.sha256()
    for prepared, _ in objects:
        digest.update(prepared.digest)
    return digest.hexdigest()
