"""Which programs, at which versions. ``tools/<module>/go.mod`` pins the same versions.

A test compares the two, so that raising a version in one place only is noticed.
"""

from __future__ import annotations

from msgspec import Struct

GIB = 2**30


class Pin(Struct, frozen=True, kw_only=True):
    """Programs that come from one Go module.

    ``space``: bytes that a cold build takes, measured and rounded up. ``release``: URL of a
    program's official download with ``{version}``, ``{arch}`` and ``{program}``;
    ``checksums``: where its SHA-256 is (a bare digest, or lines of digest and file name).
    Both empty where the project publishes no checksum: then it is built.
    """

    module: str
    version: str
    packages: tuple[tuple[str, str], ...]
    space: int
    ldflags: str = ""
    release: str = ""
    checksums: str = ""

    @property
    def programs(self) -> tuple[str, ...]:
        """The executables' names."""
        return tuple(program for program, _ in self.packages)

    @property
    def minor(self) -> tuple[str, str]:
        """``("1", "34")``."""
        major, minor, _ = self.version.removeprefix("v").split(".")
        return major, minor


_VERSION_VARIABLE = "k8s.io/component-base/version"

KUBERNETES = Pin(
    module="kubernetes",
    version="v1.34.4",
    packages=(
        ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
        ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
        ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    ),
    space=6 * GIB,
    # Else they call themselves v0.0.0-master.
    ldflags=(
        f"-X {_VERSION_VARIABLE}.gitVersion=v1.34.4 "
        f"-X {_VERSION_VARIABLE}.gitMajor=1 -X {_VERSION_VARIABLE}.gitMinor=34"
    ),
    release="https://dl.k8s.io/release/{version}/bin/linux/{arch}/{program}",
    checksums="https://dl.k8s.io/release/{version}/bin/linux/{arch}/{program}.sha256",
)
ETCD = Pin(
    module="etcd",
    version="v3.6.16",
    packages=(("etcd", "go.etcd.io/etcd/server/v3"),),
    space=GIB,
    release="https://github.com/etcd-io/etcd/releases/download/{version}/etcd-{version}-linux-{arch}.tar.gz",
    checksums="https://github.com/etcd-io/etcd/releases/download/{version}/SHA256SUMS",
)
KWOK = Pin(
    module="kwok",
    version="v0.8.0",
    packages=(("kwok", "sigs.k8s.io/kwok/cmd/kwok"),),
    space=2 * GIB,
)
PINS = (KUBERNETES, ETCD, KWOK)
