"""Which error an API server's answer becomes."""

from __future__ import annotations

import pytest

from fleetmgr.adapters.kube.answers import TERMINATING, error_for, warnings_of
from fleetmgr.adapters.kube.calls import Answer, Call
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.errors import ExitCode
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.cluster import AccessQuery
from fleetmgr.ports.cluster_errors import (
    AccessDenied,
    ApiRejected,
    AuthFailed,
    ClusterError,
    FieldOwner,
    ObjectConflict,
    ObjectGone,
    ObjectInvalid,
    Unreachable,
)
from tests.adapters.kube.api_server import Reply, Script, failure
from tests.adapters.kube.conftest import Opener
from tests.fakes.kinds import built_in

DEPLOYMENTS, SECRETS = built_in("Deployment"), built_in("Secret")
BODY: JsonObject = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
}


def refused(client: KubeClient, server: Script, reply: Reply) -> ClusterError:
    server.say(reply)
    with pytest.raises(ClusterError) as caught:
        client.apply(DEPLOYMENTS, BODY, manager="m", force=False, dry_run=True)
    error = caught.value
    assert error.cluster == "dev-1"
    assert "cannot patch deployments.apps shop/web on dev-1" in error.message
    assert str(error.where) == "dev-1 / Deployment shop/web"
    assert "canary" not in str(error)
    return error


def conflict_cause(manager: str, field: str, suffix: str) -> JsonObject:
    return {"reason": "FieldManagerConflict", "message": f"conflict with {manager} {suffix}", "field": field}


def test_conflicts_name_fields_and_managers(client: KubeClient, server: Script) -> None:
    causes = (
        conflict_cause('"kubectl-client-side-apply"', ".spec.replicas", "using apps/v1"),
        conflict_cause(
            '"hpa"', ".spec.replicas", 'with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z'
        ),
        conflict_cause(
            '"odd \\"name\\""', '.spec.template.spec.containers[name="web"].image', "using apps/v1"
        ),
        {"reason": "FieldManagerConflict", "message": "in other words", "field": ".x"},
    )
    error = refused(client, server, failure(409, "Conflict", "Apply failed with 4 conflicts", causes=causes))
    assert isinstance(error, ObjectConflict)
    assert error.owners == (
        FieldOwner(field=".spec.replicas", manager="kubectl-client-side-apply"),
        FieldOwner(field=".spec.replicas", manager="hpa"),
        FieldOwner(field='.spec.template.spec.containers[name="web"].image', manager='odd "name"'),
        FieldOwner(field=".x", manager="unknown"),
    )
    assert error.exit_code is ExitCode.FAILED


def test_a_stale_fence_is_a_conflict_without_owners(client: KubeClient, server: Script) -> None:
    error = refused(client, server, failure(409, "Conflict", "the object has been modified"))
    assert isinstance(error, ObjectConflict)
    assert error.owners == ()
    cause: JsonObject = {
        "reason": "FieldValueInvalid",
        "field": "metadata.uid",
        "message": "field is immutable",
    }
    error = refused(
        client, server, failure(422, "Invalid", "metadata.uid: field is immutable", causes=(cause,))
    )
    assert isinstance(error, ObjectConflict)


@pytest.mark.parametrize(
    "message",
    [
        (
            'deployments.apps "web" is forbidden: User "jane" cannot patch resource "deployments" in API group '
            '"apps" in the namespace "shop"'
        ),
        (
            'deployments.apps "web" is forbidden: User "jane" cannot patch resource "deployments" in API group '
            '"apps" in the namespace "shop": requires one of ["container.deployments.update"] permission(s).'
        ),
    ],
)
def test_rbac_is_access_denied(client: KubeClient, server: Script, message: str) -> None:
    error = refused(client, server, failure(403, "Forbidden", message))
    assert isinstance(error, AccessDenied)
    assert error.exit_code is ExitCode.AUTH
    assert error.hint is not None
    assert "kubectl auth can-i patch deployments.apps -n shop" in error.hint


@pytest.mark.parametrize(
    "message",
    [
        'admission webhook "policy.example" denied the request: User "jane" cannot patch resource "x"',
        "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
        'pods "web" is forbidden: exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10',
        'pods "web" is forbidden: violates PodSecurity "restricted:latest": privileged',
        (
            'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["x"]) is attempting to grant RBAC '
            "permissions not currently held"
        ),
    ],
)
def test_admission_is_no_matter_of_access(client: KubeClient, server: Script, message: str) -> None:
    error = refused(client, server, failure(403, "Forbidden", message))
    assert isinstance(error, ObjectInvalid)
    assert message in error.message
    assert error.status == 403


def test_a_namespace_that_is_being_deleted_may_come_back(client: KubeClient, server: Script) -> None:
    cause: JsonObject = {
        "reason": "NamespaceTerminating",
        "message": "being terminated",
        "field": "metadata.namespace",
    }
    error = refused(
        client, server, failure(403, "Forbidden", 'deployments "web" is forbidden', causes=(cause,))
    )
    assert isinstance(error, ApiRejected)
    assert not isinstance(error, ObjectInvalid)
    assert error.reason == TERMINATING


def test_invalid_objects_keep_the_servers_words(client: KubeClient, server: Script) -> None:
    for code in (400, 422):
        error = refused(client, server, failure(code, "Invalid", "spec.replicas: must be positive"))
        assert isinstance(error, ObjectInvalid)
        assert "spec.replicas: must be positive" in error.message


def test_what_is_gone_is_told_apart(client: KubeClient, server: Script) -> None:
    missing = failure(404, "NotFound", 'namespaces "shop" not found')
    missing.body["details"] = {"kind": "namespaces", "name": "shop"}
    error = refused(client, server, missing)
    assert isinstance(error, ObjectGone)
    assert error.hint == "namespace shop does not exist on dev-1"
    error = refused(client, server, Reply(status=404, body=b"404 page not found\n"))
    assert isinstance(error, ObjectGone)
    assert error.hint == "Deployment in apps/v1 is not served by dev-1: is its CRD installed?"


def test_warnings_are_returned_once_and_unquoted(client: KubeClient, server: Script) -> None:
    headers = (
        ("Warning", '299 - "v1 Endpoints is deprecated in v1.33+"'),
        ("Warning", '299 - "unknown field \\"spec.x\\"", 299 - "second"'),
        ("Warning", '299 - "second"'),
    )
    server.say(Reply(body=BODY, headers=headers))
    applied = client.apply(DEPLOYMENTS, BODY, manager="m", force=False, dry_run=False)
    assert applied.warnings == ("v1 Endpoints is deprecated in v1.33+", 'unknown field "spec.x"', "second")
    assert warnings_of(Answer(status=200, headers={}, body=b"", warnings=("nonsense",))) == ()


def test_what_is_sent_to_apply(client: KubeClient, server: Script) -> None:
    server.say(Reply(body=BODY), Reply(body=BODY))
    client.apply(DEPLOYMENTS, BODY, manager="fleetmgr:shop", force=True, dry_run=True)
    seen = server.seen[0]
    assert seen.path == (
        "/apis/apps/v1/namespaces/shop/deployments/web"
        "?fieldManager=fleetmgr%3Ashop&force=true&fieldValidation=Strict&dryRun=All"
    )
    assert seen.headers["content-type"] == "application/apply-patch+yaml"
    assert seen.body == BODY
    client.apply(DEPLOYMENTS, BODY, manager="m", force=False, dry_run=False)
    assert "dryRun" not in server.seen[1].path


def test_what_is_sent_to_delete(client: KubeClient, server: Script) -> None:
    server.say(Reply(body={"kind": "Status", "status": "Success"}))
    assert client.delete(DEPLOYMENTS, namespace="shop", name="web", uid="u-1")
    assert server.seen[0].body["preconditions"] == {"uid": "u-1"}
    assert server.seen[0].body["propagationPolicy"] == "Background"
    with pytest.raises(ObjectInvalid, match="uid"):
        client.delete(DEPLOYMENTS, namespace="shop", name="web", uid="")


@pytest.mark.parametrize(
    ("namespace", "name"), [("shop", ".."), ("shop", ""), ("..", "web"), ("", "web"), ("a/b", "w")]
)
def test_no_name_reaches_another_address(
    client: KubeClient, server: Script, namespace: str, name: str
) -> None:
    with pytest.raises(ObjectInvalid):
        client.delete(DEPLOYMENTS, namespace=namespace, name=name, uid="u-1")
    assert server.seen == []


@pytest.mark.parametrize("value", [2**70, "\udc80", {1, 2}])
def test_what_json_cannot_hold_is_invalid(client: KubeClient, server: Script, value: object) -> None:
    with pytest.raises(ObjectInvalid):
        client.apply(DEPLOYMENTS, {**BODY, "spec": {"x": value}}, manager="m", force=False, dry_run=True)
    assert server.seen == []


def test_access_reviews(client: KubeClient, server: Script) -> None:
    server.say(Reply(status=201, body={"kind": "SelfSubjectAccessReview", "status": {"allowed": True}}))
    server.say(Reply(status=201, body={"kind": "SelfSubjectAccessReview", "status": {"allowed": False}}))
    query = AccessQuery(verb="patch", group="apps", resource="deployments", namespace="shop")
    assert client.allowed(query)
    assert not client.allowed(query)


CANARY = "canary-value-4711"


@pytest.mark.parametrize(
    "message",
    [
        f'Secret "s" is invalid: data[k]: Invalid value: "{CANARY}": must be base64',
        f"failed to create typed patch object: .data.k: expected string, got &value.x{{Value:{CANARY}}}",
        f"webhook says: I do not like {CANARY}",
        f'Secret "s" is invalid: stringData.k: Duplicate value: "{CANARY}"',
    ],
)
@pytest.mark.parametrize("code", [400, 403, 409, 422, 500])
def test_messages_about_secrets_lose_their_values(
    client: KubeClient, server: Script, code: int, message: str
) -> None:
    server.route = lambda _: failure(code, "Invalid", message)
    body: JsonObject = {"metadata": {"name": "s", "namespace": "shop"}, "stringData": {"k": CANARY}}
    with pytest.raises(ClusterError) as caught:
        client.apply(SECRETS, body, manager="m", force=False, dry_run=True)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value.args)


@pytest.mark.parametrize(
    "body", [b"token=canary-token-1234567890", b"Bearer canary-abcdefghijkl", b"https://u:canary@h/x"]
)
def test_pages_of_proxies_lose_credentials(connect: Opener, server: Script, body: bytes) -> None:
    server.route = lambda _: Reply(status=502, body=body)
    with pytest.raises(Unreachable) as caught:
        connect().version()
    assert "canary" not in str(caught.value)


def test_refused_credentials_are_an_auth_failure() -> None:
    answer = Answer(status=401, headers={}, body=b'{"kind":"Status","message":"Unauthorized"}')
    call = Call(method="GET", path="/version", verb="get", subject="/version")
    error = error_for(answer, call, "dev-1", source="context `dev`")
    assert isinstance(error, AuthFailed)
    assert error.exit_code is ExitCode.AUTH
    assert error.hint is not None
    assert "context `dev`" in error.hint


def test_being_anonymous_means_that_the_credentials_were_not_accepted(
    client: KubeClient, server: Script
) -> None:
    message = (
        'deployments.apps "web" is forbidden: User "system:anonymous" cannot patch resource "deployments"'
    )
    assert isinstance(refused(client, server, failure(403, "Forbidden", message)), AuthFailed)
