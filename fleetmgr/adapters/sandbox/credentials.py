"""Keys, tokens and kubeconfigs. Tokens never leave files of mode 0600."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from msgspec import Struct

from fleetmgr.adapters.sandbox.components import ClusterFiles
from fleetmgr.adapters.sandbox.files import write_private

ADMIN = "admin"
READER = "reader"
READER_GROUP = "fleetmgr:readers"
# The order of the group of NIST P-256 (FIPS 186-4, D.1.2.3).
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# SEC 1 ECPrivateKey without the optional public key: a scalar between fixed DER bytes.
_DER_HEAD = bytes.fromhex("30310201010420")
_DER_CURVE = bytes.fromhex("a00a06082a8648ce3d030107")


class Way(Struct, frozen=True, kw_only=True):
    """How to reach one cluster. ``tokens`` by user name."""

    cluster: str
    server: str
    authority: bytes
    tokens: Mapping[str, str]


def ensure_credentials(files: ClusterFiles) -> None:
    """Make the service account key and the tokens of a cluster unless they are there."""
    if not files.service_account_key.exists():
        write_private(files.service_account_key, signing_key())
    if not files.tokens.exists():
        lines = (
            f'{secrets.token_urlsafe(32)},{ADMIN},{ADMIN},"system:masters"',
            f'{secrets.token_urlsafe(32)},{READER},{READER},"{READER_GROUP}"',
        )
        write_private(files.tokens, "\n".join(lines) + "\n")


def read_tokens(files: ClusterFiles) -> dict[str, str]:
    """Token by user name."""
    lines = files.tokens.read_text(encoding="utf-8").splitlines()
    rows = (line.split(",") for line in lines if line)
    return {row[1]: row[0] for row in rows}


def signing_key() -> str:
    """A new P-256 private key as PEM (``EC PRIVATE KEY``), which Kubernetes signs ES256 with."""
    scalar = secrets.randbelow(_P256_ORDER - 1) + 1
    body = base64.b64encode(_DER_HEAD + scalar.to_bytes(32, "big") + _DER_CURVE).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN EC PRIVATE KEY-----", *lines, "-----END EC PRIVATE KEY-----", ""])


def write_kubeconfig(path: Path, ways: Sequence[Way]) -> None:
    """A kubeconfig with a context a cluster, and ``<cluster>-reader`` for the read-only user.

    The current context is the first cluster's.
    """
    users = [(way, user) for way in ways for user in way.tokens]
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": ways[0].cluster if ways else "",
        "clusters": [_cluster(way) for way in ways],
        "contexts": [
            {
                "name": way.cluster if user == ADMIN else f"{way.cluster}-{user}",
                "context": {"cluster": way.cluster, "user": f"{way.cluster}-{user}"},
            }
            for way, user in users
        ],
        "users": [
            {"name": f"{way.cluster}-{user}", "user": {"token": way.tokens[user]}} for way, user in users
        ],
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False))


def _cluster(way: Way) -> dict[str, object]:
    authority = base64.b64encode(way.authority).decode()
    return {
        "name": way.cluster,
        "cluster": {"server": way.server, "certificate-authority-data": authority},
    }
