"""What of the user's environment the Pulumi CLI, its provider and its backends get.

Settings of Pulumi that a shell happens to hold (PULUMI_PARALLEL, PULUMI_K8S_DELETE_UNREACHABLE, ...) would change what
a plan has promised, so they are left out; credentials of backends and of kubeconfig plugins are let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_NAMES = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "TZ", "KUBECONFIG"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}
    | {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_HOME"}
)
_PROXIES = frozenset({"http_proxy", "https_proxy", "no_proxy", "all_proxy"})
_PREFIXES = ("AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "ARM_", "PG", "VAULT_", "XDG_", "LC_")
SECRET_NAMES = ("PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE")


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of ``environment`` that is let through."""
    return {name: value for name, value in environment.items() if _through(name)}


def _through(name: str) -> bool:
    return name in _NAMES or name.lower() in _PROXIES or name.startswith(_PREFIXES)


def pulumi_home(environment: Mapping[str, str]) -> Path:
    """Where the CLI keeps plugins and logins: PULUMI_HOME, else ``~/.pulumi``."""
    named = environment.get("PULUMI_HOME")
    return Path(named) if named else Path(environment.get("HOME") or "/") / ".pulumi"


def settled(environment: Mapping[str, str], *, backend: str) -> dict[str, str]:
    """What every process of the CLI runs with."""
    passphrase_file = environment.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    found = scrubbed(environment)
    if passphrase_file:
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(Path(passphrase_file).absolute())
    return found | {
        "PULUMI_HOME": str(pulumi_home(environment)),
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # A work folder may be new, as on a runner: what encrypts the secrets is then read from the state itself.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SUPPRESS_NEO_LINK": "true",
        "NO_COLOR": "1",
        # The provider's own 50 requests a second make an update of 100 objects wait for twice as long as it works; API
        # servers have limits of their own.
        "PULUMI_K8S_CLIENT_QPS": "200",
        "PULUMI_K8S_CLIENT_BURST": "400",
    }
