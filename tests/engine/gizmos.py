"""A CRD with one of everything, and objects of it with what a kube-apiserver says of them."""

from __future__ import annotations

from typing import Any

_ITEM = {
    "type": "object",
    "required": ["k"],
    "properties": {"k": {"type": "string"}, "v": {"type": "string", "default": "d"}},
}
_SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "string", "enum": ["s", "m"]},
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 4},
        "count": {"type": "integer", "minimum": 1, "maximum": 5},
        "port": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "mode": {"type": "string", "default": "auto"},
        "opt": {"type": "string", "nullable": True},
        "list": {"type": "array", "maxItems": 2, "items": _ITEM},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "nest": {"type": "object", "default": {}, "properties": {"x": {"type": "integer", "default": 3}}},
        "f": {"type": "number"},
    },
}
_SCHEMA = {"type": "object", "required": ["spec"], "properties": {"spec": _SPEC}}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gizmos.sim.example.com"},
    "spec": {
        "group": "sim.example.com",
        "scope": "Namespaced",
        "names": {"plural": "gizmos", "kind": "Gizmo"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _SCHEMA}},
            {"name": "v0", "served": False, "storage": False, "schema": {"openAPIV3Schema": _SCHEMA}},
        ],
    },
}


def gizmo(content: dict[str, Any]) -> dict[str, Any]:
    """An object with this content."""
    return {"apiVersion": "sim.example.com/v1", "kind": "Gizmo", "metadata": {"name": "x"}, **content}


def _spec(**more: Any) -> dict[str, Any]:
    return {"spec": {"size": "s", **more}}


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("complete", _spec(), ""),
    ("no spec", {}, "spec: Required value"),
    ("required", {"spec": {}}, "spec.size: Required value"),
    ("enum", {"spec": {"size": "x"}}, "spec.size: Unsupported value"),
    ("unknown", _spec(foo=1), "spec.foo: field not declared in schema"),
    ("unknown at the top", {**_spec(), "bar": 1}, "bar: field not declared in schema"),
    ("type", {"spec": {"size": 1}}, "spec.size: must be of type string"),
    ("pattern", _spec(name="ABC"), "spec.name: should match"),
    ("length", _spec(name="abcdef"), "spec.name: length: 6"),
    ("maximum", _spec(count=9), "spec.count: 9 should be less than or equal to 5"),
    ("no integer", _spec(count=1.5), "spec.count: must be of type integer"),
    ("an integer as a float", _spec(count=2.0), ""),
    ("a named port", _spec(port="http"), ""),
    ("a port that is neither", _spec(port=True), "spec.port: must be of type integer,string"),
    ("free", _spec(free={"a": {"b": 1}}), ""),
    ("null with a default", _spec(mode=None), ""),
    ("null that may be", _spec(opt=None), ""),
    ("null that may not", _spec(name=None), "spec.name: must be of type string: null"),
    ("item", _spec(list=[{"k": "a"}, {"v": "b"}]), "spec.list[1].k: Required value"),
    ("too many", _spec(list=[{"k": "a"}, {"k": "b"}, {"k": "c"}]), "spec.list: items: 3"),
    ("map", _spec(map={"a": "x"}), "spec.map.a: must be of type integer"),
    ("number", _spec(f=1), ""),
]
