"""What ties a saved plan to what was looked at: digests of what is desired and of how live differs from it.

A digest of a weak secret gives it away to anybody who tries words. So whatever holds the value of a Secret goes into
a digest only together with a key that stays on the cluster (HMAC-SHA256), and never without.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import orjson

from fleetmgr.engine.compare import differing
from fleetmgr.engine.secrecy import is_secret, mask_pair
from fleetmgr.model.jsontypes import Json, JsonObject, object_at
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.resource import Resource
from fleetmgr.model.saved_plan import Binding
from fleetmgr.veiled import Veiled

_PURPOSE = b"fleetmgr saved plan v1\0"


class Seal(Veiled, frozen=True, kw_only=True):
    """The key of one cluster entry; None where there is none."""

    VEILED = frozenset({"key"})

    cluster: str
    key: bytes | None = None

    @property
    def key_id(self) -> str:
        """Names the key (32 random bytes) without giving it away."""
        return hashlib.sha256(_PURPOSE + self.key).hexdigest()[:16] if self.key else ""

    def digest(self, content: Json) -> str:
        """Keyed digest; two equal values on two clusters have different ones. "" without a key."""
        if self.key is None:
            return ""
        message = _PURPOSE + self.cluster.encode() + b"\0" + _canonical(content)
        return "hmac-sha256:" + hmac.new(self.key, message, hashlib.sha256).hexdigest()


def bind(
    key: ObjectKey,
    desired: JsonObject | None,
    live: JsonObject | None,
    seal: Seal,
    *,
    sent: JsonObject | None = None,
) -> Binding:
    """The binding of one change; ``desired`` None for what goes, ``live`` None for what comes.

    ``sent`` is what would be sent of ``desired``, where that is not all of it: what is left as it is live may move.
    """
    metadata = object_at(live or {}, "metadata")
    uid, version = str(metadata.get("uid") or ""), str(metadata.get("resourceVersion") or "")
    content = [list(key), desired, _difference(desired if sent is None else sent, live)]
    if is_secret(desired or live or {}):
        digest = seal.digest(content)
        return Binding(key=key, uid=uid, digest=digest, version="" if digest else version)
    return Binding(key=key, uid=uid, digest=_plain(content))


def render_digest(resources: Iterable[Resource], seal: Seal) -> str:
    """Over everything that an app desires; without a key, of Secrets their keys only."""
    lines = sorted([list(r.ref), _content(r, seal)] for r in resources)
    return _plain(lines)


def _content(resource: Resource, seal: Seal) -> Json:
    if not is_secret(resource.inputs):
        return _plain(resource.inputs)
    return seal.digest([list(resource.ref), resource.inputs]) or _plain(mask_pair(None, resource.inputs)[1])


def _difference(desired: JsonObject | None, live: JsonObject | None) -> Json:
    if desired is None or live is None:
        return []
    return [[d.path, d.old, d.new] for d in differing(desired, live, {})]


def _plain(content: Json) -> str:
    return "sha256:" + hashlib.sha256(_canonical(content)).hexdigest()


def _canonical(content: Json) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
