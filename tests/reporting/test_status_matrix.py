"""The status matrix as a person sees it: wide, folded by environment, as a list; and its words."""

from __future__ import annotations

from textwrap import dedent

import pytest

from fleetmgr.errors import ExitCode
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.report import ClusterState, FleetStatus, SyncStatus, TargetStatus
from fleetmgr.reporting.status import status_text
from fleetmgr.reporting.status_matrix import age, version
from fleetmgr.reporting.style import Paint
from tests.reporting.fleets import failure

GONE = failure("no answer", ExitCode.PARTIAL)


def target(
    app: str,
    cluster: str,
    environment: str,
    *,
    image: str = "shop/web:1.27.3",
    health: Health | None = None,
    pending: int = 0,
) -> TargetStatus:
    return TargetStatus(
        app=app,
        cluster=cluster,
        environment=environment,
        sync=SyncStatus.OUT_OF_SYNC if pending else SyncStatus.SYNCED,
        health=health or Health(status=HealthStatus.HEALTHY),
        pending=pending,
        images=(image,) if image else (),
        since="2026-11-20T10:00:00Z",
    )


def fleet(prods: int, *, unreachable: int = 0) -> FleetStatus:
    """dev-1 and ``prods`` clusters: prod-2 runs an old web, prod-3's is Degraded."""
    down = Health(status=HealthStatus.DEGRADED, message="1 of 2 replicas")
    clusters = [
        ClusterState(
            cluster="dev-1",
            environment="dev",
            version="v1.34.4",
            targets=(target("web", "dev-1", "dev"), target("rbac", "dev-1", "dev", image="")),
        )
    ]
    for number in range(1, prods + 1):
        name = f"prod-{number}"
        if number > prods - unreachable:
            clusters.append(ClusterState(cluster=name, environment="prod", version=None, failure=GONE))
            continue
        web = target(
            "web",
            name,
            "prod",
            image="shop/web:1.26" if number == 2 else "shop/web:1.27.3",
            pending=2 if number == 2 else 0,
            health=down if number == 3 else None,
        )
        clusters.append(ClusterState(cluster=name, environment="prod", version="v1.34.4", targets=(web,)))
    return FleetStatus(fleet="shop", revision="", clusters=tuple(clusters), at="2026-11-20T12:00:00Z")


def shown(status: FleetStatus, width: int) -> str:
    text = status_text(status, width=width)
    head, _, rest = text.partition("\n\n")
    assert head.startswith("Fleet shop: ")
    return rest


def test_a_column_a_cluster() -> None:
    assert shown(fleet(4, unreachable=1), 120) == dedent("""\
        APP    dev-1         prod-1        prod-2            prod-3        prod-4
               dev           prod          prod              prod          unreachable
        web    = 1.27.3 2h   = 1.27.3 2h   ~ 1.26 2h         ! 1.27.3 2h   ?
                                             OutOfSync (2)     Degraded
        rbac   = 2h          .             .                 .             ?

        = Synced and Healthy   ~ OutOfSync   ! not Healthy   ? not known   . not there

          web on prod-3: Degraded: 1 of 2 replicas
          prod-4 (prod): unreachable
              error[FLT-3001]: no answer
        """)


def test_a_column_an_environment() -> None:
    text = shown(fleet(48, unreachable=2), 80)
    assert text.startswith(
        dedent("""\
        APP    dev           prod
               dev-1         48 clusters
                             2 unreachable: prod-47, prod-48
        web    = 1.27.3 2h   1.27.3 on 45
                             1.26 on 1
                             = 44 Synced/Healthy
                             ~ 1 OutOfSync (2)/Healthy: prod-2
                             ! 1 Synced/Degraded: prod-3
        rbac   = 2h          ?

        = Synced and Healthy   ~ OutOfSync   ! not Healthy   ? not known   . not there
        """)
    )


def test_a_list_where_the_terminal_is_narrow() -> None:
    assert shown(fleet(48, unreachable=2), 40).startswith(
        dedent("""\
        web
          dev-1  = 1.27.3 2h
          prod   1.27.3 on 45
                 1.26 on 1
                 = 44 Synced/Healthy
                 ~ 1 OutOfSync (2)/Healthy: prod-2
                 ! 1 Synced/Degraded: prod-3
        rbac
          dev-1  = 2h
          prod   ?
        prod: 2 unreachable: prod-47, prod-48
        """)
    )


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("prods", [1, 3, 9, 200])
def test_the_matrix_keeps_to_the_width(width: int, prods: int) -> None:
    table = shown(fleet(prods), width).partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= width
    assert all(line == line.rstrip() for line in table.splitlines())


def test_colours_repeat_symbols() -> None:
    coloured = status_text(fleet(3), paint=Paint(enabled=True), width=120)
    assert "\x1b[32m= 1.27.3 2h" in coloured
    assert "\x1b[31m! 1.27.3 2h" in coloured


def test_names_of_clusters_cannot_write_to_the_terminal() -> None:
    status = fleet(1)
    hostile = target("\x1b[2J", "dev-1", "dev", image="x:\x1b[2J")
    clusters = (ClusterState(cluster="dev-1", environment="dev", version="", targets=(hostile,)),)
    text = status_text(FleetStatus(fleet="x", revision="", clusters=clusters, at=status.at))
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("images", "word"),
    [
        ((), ""),
        (("nginx",), "latest"),
        (("registry:5000/nginx",), "latest"),
        (("registry:5000/nginx:1.27",), "1.27"),
        (("nginx@sha256:0123456789abcdef",), "sha256:0123456"),
        (("a:1", "b:1"), "1"),
        (("a:1", "b:2"), "1,2"),
        (("a:1", "b:2", "c:3", "d:4"), "1,2 +2"),
        (("a:2026-11-20-0123456789abcdef",), "2026-11-20-0123456.."),
    ],
)
def test_versions(images: tuple[str, ...], word: str) -> None:
    assert version(images) == word


@pytest.mark.parametrize(
    ("since", "word"),
    [
        ("2026-11-20T11:59:20Z", "40s"),
        ("2026-11-20T11:48:00Z", "12m"),
        ("2026-11-20T07:00:00Z", "5h"),
        ("2026-11-01T07:00:00Z", "19d"),
        ("2026-11-20T12:00:09Z", "0s"),
        (None, ""),
        ("soon", ""),
        ("2026-11-20T11:59:20", ""),
    ],
)
def test_ages(since: str | None, word: str) -> None:
    assert age("2026-11-20T12:00:00Z", since) == word
