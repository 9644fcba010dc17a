"""From a kubeconfig's context, or a pod's service account, to an Access that the transport can use."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from urllib.parse import urlsplit

from fleetmgr.adapters.kube.access import (
    Access,
    AccessFault,
    ClientCertificate,
    Credential,
    Credentials,
    Endpoint,
    Environment,
    Impersonation,
    PluginSpec,
)
from fleetmgr.adapters.kube.credentials import FileCredentials, PluginRegistry, StaticCredentials, basic
from fleetmgr.adapters.kube.environment_proxy import environment_proxy
from fleetmgr.adapters.kube.exec_plugin import bearer
from fleetmgr.adapters.kube.kubeconfig import Entry, Kubeconfig, reading, typed_extension
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, is_array, is_object
from fleetmgr.ports.clock import Clock

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PLUGIN_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EXTENSION = "client.authentication.k8s.io/exec"


def from_kubeconfig(
    config: Kubeconfig,
    context: str | None,
    *,
    environment: Environment,
    plugins: PluginRegistry,
    clock: Clock,
) -> Access:
    """The Access of ``context`` (None = the current one). Raises AccessFault."""
    chosen = config.context(context)
    cluster = config.cluster_of(chosen)
    user = config.user_of(chosen)
    endpoint = _endpoint(cluster, environment)
    source = f"context `{chosen.name}` of {chosen.file}"
    if user is None:
        return Access(endpoint=endpoint, credentials=StaticCredentials(Credential()), source=source)
    return Access(
        endpoint=endpoint,
        credentials=_credentials(user, cluster, plugins=plugins, clock=clock),
        source=source,
        impersonation=_impersonation(user),
    )


def in_cluster_server(environment: Environment) -> str:
    """The URL of the API server of the pod that we run in (rest.InClusterConfig). Raises AccessFault outside a
    cluster."""
    host = environment.get("KUBERNETES_SERVICE_HOST")
    port = environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise AccessFault(
            "access is inCluster, but this is no pod: KUBERNETES_SERVICE_HOST and _PORT are not set",
            hint="use access.context outside the cluster",
        )
    bracketed = f"[{host}]" if ":" in host else host
    return f"https://{bracketed}:{port}"


def from_service_account(environment: Environment, *, folder: Path, clock: Clock) -> Access:
    """The Access of the pod that we run in (rest.InClusterConfig). Raises AccessFault outside a cluster."""
    server = in_cluster_server(environment)
    authority = reading(folder / "ca.crt", "certificate authority", Path.read_bytes)
    return Access(
        endpoint=Endpoint(server=server, authority=authority),
        credentials=FileCredentials(clock=clock, token_file=folder / "token"),
        source="the pod's service account",
    )


def _endpoint(cluster: Entry, environment: Environment) -> Endpoint:
    server = cluster.text("server")
    file = str(cluster.file)
    parts = urlsplit(server if "://" in server else f"http://{server}")
    if not server or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AccessFault(f"cluster `{cluster.name}` has no usable server URL", file=file)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AccessFault(
            f"server of cluster `{cluster.name}` may hold no user, query or fragment", file=file
        )
    verify = not cluster.flag("insecure-skip-tls-verify")
    authority = _bytes(cluster, "certificate-authority")
    if authority is not None and not verify:
        raise AccessFault(
            f"cluster `{cluster.name}` has both a certificate authority and insecure-skip-tls-verify",
            file=file,
            hint="remove insecure-skip-tls-verify",
        )
    return Endpoint(
        server=parts.geturl().rstrip("/"),
        authority=authority,
        verify=verify,
        tls_server_name=cluster.text("tls-server-name") or None,
        proxy=_proxy(cluster, environment),
    )


def _proxy(cluster: Entry, environment: Environment) -> str | None:
    """proxy-url, else what HTTPS_PROXY and NO_PROXY say."""
    url = cluster.text("proxy-url")
    origin = f"proxy-url of cluster `{cluster.name}`"
    if not url:
        url = environment_proxy(cluster.text("server"), environment) or ""
        origin = "HTTPS_PROXY or HTTP_PROXY"
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        hint = "SOCKS proxies are not supported yet"
        raise AccessFault(f"{origin} is no http:// or https:// URL", file=str(cluster.file), hint=hint)
    return url


def _credentials(user: Entry, cluster: Entry, *, plugins: PluginRegistry, clock: Clock) -> Credentials:
    if is_object(user.body.get("auth-provider")):
        raise AccessFault(
            f"user `{user.name}` uses auth-provider, which Kubernetes removed in 1.26",
            file=str(user.file),
            hint="use an exec credential plugin (gke-gcloud-auth-plugin, kubelogin)",
        )
    token, token_file = user.text("token"), user.path("tokenFile")
    plugin = user.body.get("exec")
    if is_object(plugin) and not token and token_file is None:
        return plugins.credentials(_plugin(plugin, user, cluster))
    authorization = _authorization(user, token)
    if token_file is None and user.path("client-certificate") is None:
        certificate = _certificate(user)
        return StaticCredentials(Credential(authorization=authorization, certificate=certificate))
    has_certificate = _certificate(user) is not None
    return FileCredentials(
        clock=clock,
        token_file=token_file,
        authorization=authorization,
        certificate=(lambda: _required_certificate(user)) if has_certificate else None,
    )


def _authorization(user: Entry, token: str) -> str | None:
    if token:
        return bearer(token)
    username = user.text("username")
    return basic(username, user.text("password")).authorization if username else None


def _certificate(user: Entry) -> ClientCertificate | None:
    certificate = _bytes(user, "client-certificate")
    key = _bytes(user, "client-key")
    if (certificate is None) != (key is None):
        raise AccessFault(
            f"user `{user.name}` has a client-certificate without client-key, or the reverse",
            file=str(user.file),
        )
    if certificate is None or key is None:
        return None
    return ClientCertificate(certificate=certificate, key=key)


def _required_certificate(user: Entry) -> ClientCertificate:
    certificate = _certificate(user)
    if certificate is None:
        raise AccessFault(f"user `{user.name}` has no client certificate any more", file=str(user.file))
    return certificate


def _bytes(entry: Entry, key: str) -> bytes | None:
    """``<key>-data`` decoded, else the file that ``key`` names, else None."""
    data = entry.text(f"{key}-data")
    if data:
        try:
            return base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise AccessFault(f"`{key}-data` of `{entry.name}` is not base64", file=str(entry.file)) from None
    path = entry.path(key)
    return reading(path, key, Path.read_bytes) if path is not None else None


def _impersonation(user: Entry) -> Impersonation | None:
    name, groups = user.text("as"), _texts(user.body.get("as-groups"), "as-groups", user)
    if not name:
        if groups or user.text("as-uid") or user.body.get("as-user-extra"):
            raise AccessFault(
                f"user `{user.name}` has as-groups, as-uid or as-user-extra without as", file=str(user.file)
            )
        return None
    extra = user.body.get("as-user-extra")
    pairs = [
        (key, value)
        for key, values in (extra.items() if is_object(extra) else ())
        for value in _texts(values, "as-user-extra", user)
    ]
    return Impersonation(user=name, uid=user.text("as-uid"), groups=groups, extra=tuple(pairs))


def _plugin(plugin: JsonObject, user: Entry, cluster: Entry) -> PluginSpec:
    spec = Entry(name=user.name, body=plugin, file=user.file)
    command, version = spec.text("command"), spec.text("apiVersion")
    file = str(user.file)
    if not command:
        raise AccessFault(f"exec of user `{user.name}` names no command", file=file)
    if version not in _PLUGIN_VERSIONS:
        raise AccessFault(
            f"exec of user `{user.name}` has apiVersion `{version}`",
            file=file,
            hint=f"it must be one of: {', '.join(_PLUGIN_VERSIONS)}",
        )
    if spec.text("interactiveMode") == "Always":
        raise AccessFault(
            f"the credential plugin of user `{user.name}` wants a terminal (interactiveMode: Always)",
            file=file,
            hint="it cannot have one here: several clusters are asked at once; set interactiveMode: IfAvailable",
        )
    if "/" in command and not command.startswith("/"):
        command = str(user.file.parent / command)
    return PluginSpec(
        command=command,
        args=_texts(plugin.get("args"), "args", user),
        env=_env(plugin, user),
        api_version=version,
        install_hint=spec.text("installHint"),
        cluster=_cluster_info(cluster) if spec.flag("provideClusterInfo") else None,
    )


def _env(plugin: JsonObject, user: Entry) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for item in array_at(plugin, "env"):
        entry = Entry(name=user.name, body=item if is_object(item) else {}, file=user.file)
        value = item.get("value", "") if is_object(item) else ""
        if not entry.text("name") or not isinstance(value, str):
            raise AccessFault(f"exec.env of user `{user.name}` must list name and value", file=str(user.file))
        pairs.append((entry.text("name"), value))
    return tuple(pairs)


def _cluster_info(cluster: Entry) -> JsonObject:
    authority = _bytes(cluster, "certificate-authority")
    info: JsonObject = {
        "server": cluster.text("server"),
        "tls-server-name": cluster.text("tls-server-name"),
        "certificate-authority-data": base64.b64encode(authority).decode() if authority else "",
        "proxy-url": cluster.text("proxy-url"),
        "config": typed_extension(cluster, _EXTENSION) if cluster.body.get("extensions") else None,
    }
    shown = {key: value for key, value in info.items() if value}
    if cluster.flag("insecure-skip-tls-verify"):
        shown["insecure-skip-tls-verify"] = True
    return shown


def _texts(value: Json, key: str, user: Entry) -> tuple[str, ...]:
    if value in (None, "", "null", "~"):
        return ()
    if not is_array(value) or not all(isinstance(item, str) for item in value):
        raise AccessFault(f"`{key}` of user `{user.name}` must be a list of texts", file=str(user.file))
    return tuple(value)
