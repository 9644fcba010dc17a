"""TLS contexts from PEM texts, and what a failed handshake means in words."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from fleetmgr.adapters.kube.access import AccessFault, ClientCertificate, Endpoint

_EXPIRED, _NOT_YET, _HOSTNAME, _IP = 10, 9, 62, 64
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})


class SharedContext(ssl.SSLContext):
    """A context of connections that threads open at the same time, to servers that speak HTTP/1.1.

    urllib3 sets the ALPN protocols of the context at every connection. OpenSSL frees those that were set before, which
    another thread may be copying into its handshake at that moment (cpython#141012): now and then a server got a
    ClientHello that it could not decode. Here they are set once.
    """

    def __init__(self, _protocol: int) -> None:
        super().set_alpn_protocols(["http/1.1"])

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Leave them as they are: whoever asks wants the same."""


def tls_context(endpoint: Endpoint, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """A context that trusts what the Endpoint says and shows ``certificate``. Raises AccessFault."""
    context = _trusting(endpoint)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # As client-go, on every Python: what the authority file names is trusted, also where it is no root; and nobody asks
    # for extensions that the authorities of many clusters lack.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate is not None:
        _show(context, certificate)
    return context


def _trusting(endpoint: Endpoint) -> ssl.SSLContext:
    context = SharedContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if endpoint.authority is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=endpoint.authority.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError, ValueError):
        raise AccessFault(
            "the certificate authority of the cluster is not a PEM certificate",
            hint="certificate-authority-data is base64 of a PEM file; certificate-authority names one",
        ) from None
    return context


def _show(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    try:
        with _path_of(certificate.certificate) as cert, _path_of(certificate.key) as key:
            context.load_cert_chain(cert, key, password=lambda: b"")
    except (ssl.SSLError, ValueError):
        raise AccessFault(
            "the client certificate and key are no matching pair of PEM files (or the key is encrypted)",
            hint="check client-certificate(-data) and client-key(-data) of the user",
        ) from None


@contextmanager
def _path_of(data: bytes) -> Generator[str]:
    """A path that OpenSSL can open; in memory where the system has that, so that no key touches a disk."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("pem")
        try:
            os.write(descriptor, data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file.name


def explain(error: ssl.SSLError) -> tuple[str, str]:
    """What is wrong with the TLS connection, and what to do, e.g. (``certificate has expired``, ``renew it``)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_certificate(error)
    reason = (error.reason or "").upper()
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "the server does not speak TLS on this port", "is it http:// and not https://?"
    if "ALERT" in reason:
        return f"the server ended the TLS handshake ({reason.lower().replace('_', ' ')})", (
            "it may not accept the client certificate or the server name"
        )
    return (
        f"TLS failed ({reason.lower().replace('_', ' ') or 'unknown reason'})",
        "check server and proxy-url",
    )


def _explain_certificate(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    code = error.verify_code
    if code in _UNKNOWN_AUTHORITY:
        return "the server's certificate is signed by an unknown authority", (
            "certificate-authority-data of the kubeconfig belongs to another cluster, or a proxy opens TLS"
        )
    if code == _EXPIRED:
        return "the server's certificate has expired", "renew it, or check the clock of this machine"
    if code == _NOT_YET:
        return "the server's certificate is not valid yet", "check the clock of this machine"
    if code in {_HOSTNAME, _IP}:
        return "the server's certificate is for another name", (
            "use a name that it lists as server, or set tls-server-name in the kubeconfig"
        )
    return (
        f"the server's certificate is not accepted ({error.verify_message})",
        "check certificate-authority-data",
    )
