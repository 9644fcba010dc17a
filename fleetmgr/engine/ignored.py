"""What is still sent of an object once some of its fields are left alone.

An ignored field is sent at creation only. Later the part of it that we hold is sent as it is live, and what others
hold is not sent at all. Both are needed: to leave out a field that only we hold makes the server reset it
(``replicas: 5`` becomes 1), to send one that an autoscaler holds takes it from the autoscaler. Inside of an atomic
list or map, which is sent as a whole, the live value stands in.

Every path goes through desired and live object side by side, each part at most once a step.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from msgspec import Struct

from fleetmgr.engine.conditions import holds
from fleetmgr.engine.fieldset import escape, is_named, unescape
from fleetmgr.engine.holding import Held, Items, Node, below, held_by, member, names_of_keys
from fleetmgr.engine.pairing import ABSENT, Pair, pairs, with_order
from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL
from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, is_array, is_object, object_at
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.policy import IgnoreRule
from fleetmgr.model.resource import PULUMI_ANNOTATIONS
from fleetmgr.spec.field_paths import jq_path, pointer
from fleetmgr.spec.path_steps import Each, FieldPath, Index, Key, Segment, Select, Step

_ALWAYS = {
    "labels": (PART_OF_LABEL, FLEET_LABEL),
    "annotations": PULUMI_ANNOTATIONS,
}
"""What says that an object is ours is sent whatever is ignored."""


class Ignored(Struct, frozen=True, kw_only=True):
    """What of one object is left alone; false when nothing is."""

    paths: tuple[FieldPath, ...] = ()
    managers: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.paths or self.managers)

    def and_at(self, paths: Iterable[str]) -> Ignored:
        """And the fields at further pointers, as made by this package."""
        more = (FieldPath(text, tuple(Segment(unescape(s)) for s in text[1:].split("/"))) for text in paths)
        return Ignored(paths=(*self.paths, *more), managers=self.managers)


NOTHING = Ignored()


def ignored(rules: Iterable[IgnoreRule], ref: ObjectRef) -> Ignored:
    """What the rules say of one object. Their paths were checked when fleet.yaml was read."""
    mine = [rule for rule in rules if rule.matches(ref)]
    if not mine:
        return NOTHING
    return Ignored(
        paths=tuple(
            path for rule in mine for path in (*map(pointer, rule.pointers), *map(jq_path, rule.paths))
        ),
        managers=tuple(manager for rule in mine for manager in rule.managers),
    )


def still_sent(
    desired: JsonObject, live: JsonObject, ignoring: Ignored, held: Held, *, release: bool = False
) -> JsonObject:
    """``desired`` as it is to be applied to ``live``.

    A field that we hold together with others is let go of with ``release``, for what is written; without it is
    sent as it is live, for judging whether there is anything to write: neither changes the object.
    """
    body: Json = desired
    walk = _Walk(release=release)
    for path in ignoring.paths:
        body = walk.rewritten(path.steps, body, live, held.ours, held.theirs)
    for manager in ignoring.managers:
        body = walk.left_to(held_by(held, manager), body, live, held.ours, held.theirs)
    return body if body is desired else _with_bookkeeping(body, desired)


def _with_bookkeeping(body: JsonObject, desired: JsonObject) -> JsonObject:
    metadata = dict(object_at(body, "metadata"))
    for part, names in _ALWAYS.items():
        wanted = object_at(desired, "metadata", part)
        ours = {name: wanted[name] for name in names if name in wanted}
        if ours:
            metadata[part] = {**object_at(metadata, part), **ours}
    return {**body, "metadata": metadata}


def without_ignored(desired: JsonObject, ignoring: Ignored) -> JsonObject:
    """``desired`` without the fields that the paths name: what a change in Git to is no change at all."""
    body: Json = desired
    for path in ignoring.paths:
        body = _stripped(path.steps, body)
    return body


class _Walk:
    """One rewriting of one object."""

    def __init__(self, *, release: bool) -> None:
        self._release = release

    def rewritten(self, steps: tuple[Step, ...], desired: Json, live: Json, ours: Node, theirs: Node) -> Json:
        """The desired value once what ``steps`` lead to is left alone; ABSENT where nothing is to be sent.

        An item of a list that is not there yet is made, with all that it has.
        """
        if not steps:
            return self._kept(live, ours, theirs)
        step, rest = steps[0], steps[1:]
        if isinstance(step, Select):
            chosen = _fits(step, desired) or _fits(step, live)
            return self.rewritten(rest, desired, live, ours, theirs) if chosen else desired
        if live is ABSENT:
            return self._in_map(step, rest, desired, {}, (None, None)) if is_object(desired) else desired
        if _atomic(live, ours, theirs):
            return _substituted(steps, desired, live)
        if is_object(live):
            return self._in_map(step, rest, desired, live, (ours, theirs))
        return self._in_list(step, rest, desired, live, (ours, theirs)) if is_array(live) else desired

    def _in_map(
        self, step: Step, rest: tuple[Step, ...], desired: Json, live: JsonObject, nodes: tuple[Node, Node]
    ) -> Json:
        result = desired
        for name in _names(step, desired, live):
            old = result[name] if is_object(result) and name in result else ABSENT
            value = live.get(name, ABSENT)
            if old is ABSENT and value is ABSENT:
                continue
            new = self.rewritten(rest, old, value, below(nodes[0], name), below(nodes[1], name))
            result = _with(result, name, old, new)
        return result

    def _in_list(
        self, step: Step, rest: tuple[Step, ...], desired: Json, live: JsonArray, nodes: tuple[Node, Node]
    ) -> Json:
        names = names_of_keys(*nodes)
        mine, others = (Items(node, names) for node in nodes)
        terminal = all(isinstance(s, Select) for s in rest)

        def item(pair: Pair) -> Json:
            one_sided = pair.desired is ABSENT or pair.live is ABSENT
            if not _chosen(step, pair) or (one_sided and not terminal):
                return pair.desired
            known = pair.live if pair.desired is ABSENT else pair.desired
            ours = mine.of(known) if names else member(nodes[0], known)
            theirs = others.of(known) if names else member(nodes[1], known)
            new = self.rewritten(rest, pair.desired, pair.live, ours, theirs)
            return _with_keys(new, known, names)

        return with_order(desired, pairs(desired, live, names), item)

    def left_to(self, fields: Node, desired: Json, live: Json, ours: Node, theirs: Node) -> Json:
        """The desired value without what ``fields``, which others hold, names."""
        if fields is None or desired is ABSENT:
            return desired
        if not fields or _atomic(live, ours, theirs):
            return self._kept(live, ours, theirs)
        if is_object(desired) and is_object(live):
            result: Json = desired
            for name in desired:
                new = self.left_to(
                    below(fields, name),
                    desired[name],
                    live.get(name, ABSENT),
                    below(ours, name),
                    below(theirs, name),
                )
                result = _with(result, name, desired[name], new)
            return result
        if is_array(desired) and is_array(live):
            return self._items_left_to(fields, desired, live, (ours, theirs))
        return desired

    def _items_left_to(
        self, fields: JsonObject, desired: JsonArray, live: JsonArray, nodes: tuple[Node, Node]
    ) -> Json:
        names = names_of_keys(*nodes)
        if not names:
            return [v for v in desired if member(fields, v) is None or self._holds_member(nodes, v)] or ABSENT
        mine, others, leaving = Items(nodes[0], names), Items(nodes[1], names), Items(fields, names)

        def item(pair: Pair) -> Json:
            left = leaving.of(pair.desired)
            if pair.live is ABSENT or left is None:
                return pair.desired
            without_keys = {k: v for k, v in left.items() if k != "." and k[2:] not in names}
            if not without_keys:
                return pair.desired
            nodes_of_item = mine.of(pair.desired), others.of(pair.desired)
            new = self.left_to(without_keys, pair.desired, pair.live, *nodes_of_item)
            return _with_keys(new, pair.desired, names)

        return with_order(desired, pairs(desired, live, names), item)

    def _holds_member(self, nodes: tuple[Node, Node], value: Json) -> bool:
        return not self._release and member(nodes[0], value) is not None

    def _kept(self, live: Json, ours: Node, theirs: Node) -> Json:
        """The part of a live value that is ours to send."""
        if live is ABSENT or ours is None:
            return ABSENT
        if not ours:
            if theirs is None:
                return live
            if theirs:  # we hold it as empty, and others have filled it
                return type(live)() if is_object(live) or is_array(live) else live
            return ABSENT if self._release else live
        result: Json = live
        if is_object(live):
            parts = ((k, self._kept(v, below(ours, k), below(theirs, k))) for k, v in live.items())
            result = {k: v for k, v in parts if v is not ABSENT}
        elif is_array(live):
            result = self._kept_items(live, ours, theirs)
        return ABSENT if result in ({}, []) and not ("." in ours and theirs is None) else result

    def _kept_items(self, live: JsonArray, ours: JsonObject, theirs: Node) -> JsonArray:
        names = names_of_keys(ours, theirs)
        if not names:
            held = [v for v in live if member(ours, v) is not None]
            return [v for v in held if not (self._release and member(theirs, v) is not None)]
        mine, others = Items(ours, names), Items(theirs, names)
        found = ((item, self._kept(item, mine.of(item), others.of(item))) for item in live)
        return [_with_keys(kept, item, names) for item, kept in found if kept is not ABSENT]


def _substituted(steps: tuple[Step, ...], desired: Json, live: Json) -> Json:
    """Inside of something that is sent as a whole: the live value stands in for what ``steps`` lead to."""
    if not steps:
        return live
    step, rest = steps[0], steps[1:]
    if isinstance(step, Select):
        chosen = _fits(step, desired) or _fits(step, live)
        return _substituted(rest, desired, live) if chosen else desired
    terminal = all(isinstance(s, Select) for s in rest)
    if live is ABSENT or (desired is ABSENT and not terminal):
        return desired
    if is_object(desired) and is_object(live):
        return _substituted_in_map(step, rest, desired, live)
    if not is_array(desired) or not is_array(live):
        return desired

    def item(pair: Pair) -> Json:
        if not _chosen(step, pair) or (pair.desired is ABSENT and not terminal):
            return pair.desired
        return _substituted(rest, pair.desired, pair.live)

    return with_order(desired, pairs(desired, live, ()), item, empty=[])


def _substituted_in_map(
    step: Step, rest: tuple[Step, ...], desired: JsonObject, live: JsonObject
) -> JsonObject:
    result = dict(desired)
    for name in _names(step, desired, live):
        new = _substituted(rest, desired.get(name, ABSENT), live.get(name, ABSENT))
        if new is ABSENT:
            result.pop(name, None)
        else:
            result[name] = new
    return result


def _stripped(steps: tuple[Step, ...], desired: Json) -> Json:
    if not steps:
        return ABSENT
    step, rest = steps[0], steps[1:]
    if isinstance(step, Select):
        return _stripped(rest, desired) if _fits(step, desired) else desired
    strip = partial(_stripped, rest)
    if is_object(desired):
        result: Json = desired
        for name in _names(step, desired, {}):
            result = _with(result, name, desired[name], strip(desired[name])) if name in desired else result
        return result
    if is_array(desired):
        chosen = [
            strip(item) if _chosen(step, Pair(desired=item, at=at, count=len(desired))) else item
            for at, item in enumerate(desired)
        ]
        return [item for item in chosen if item is not ABSENT]
    return desired


def _atomic(live: Json, ours: Node, theirs: Node) -> bool:
    """Whether a container is sent as a whole. A list that nobody holds (a default) is as good as that."""
    if not is_object(live) and not is_array(live):
        return False
    if ours is None and theirs is None:
        return is_array(live)
    return (ours is not None and not ours) or (ours is None and not theirs)


def _fits(step: Select, value: Json) -> bool:
    return value is not ABSENT and holds(step.condition, value)


def _names(step: Step, desired: Json, live: JsonObject) -> list[str]:
    """The keys of a map that a step leads to."""
    match step:
        case Key():
            return [step.name]
        case Segment():
            return [step.text]
        case Each():
            return list({**(desired if is_object(desired) else {}), **live})
        case _:
            return []


def _chosen(step: Step, pair: Pair) -> bool:
    """Whether a step leads to an item, by its place in one list or in the other."""
    match step:
        case Each():
            return True
        case Index():
            return pair.stands_at(step.number)
        case Segment():
            if step.text.isdigit():
                return pair.stands_at(int(step.text))
            return any(is_named(item, escape(step.text)) for item in (pair.desired, pair.live))
        case _:
            return False


def _with(body: Json, name: str, old: Json, new: Json) -> Json:
    """``body`` with another value; a map that becomes empty by it is not sent."""
    if new is old:
        return body
    result: JsonObject = dict(body) if is_object(body) else {}
    if new is ABSENT:
        result.pop(name, None)
        return result or ABSENT
    result[name] = new
    return result


def _with_keys(new: Json, item: Json, names: tuple[str, ...]) -> Json:
    """An item keeps the fields that say which item it is."""
    if new is ABSENT or not is_object(new):
        return new
    return {**{name: item[name] for name in names if name in item}, **new}
