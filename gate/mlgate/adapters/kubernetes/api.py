"""The Kubernetes API, with objects as plain JSON.

lightkube reads the kubeconfig, speaks TLS and asks exec plug-ins for tokens. Its own objects are not used: they drop
fields that they do not know, and the server would then never see, nor refuse, what a person misspelt.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlgate.adapters.kubernetes.kinds import Kind
from mlgate.core.errors import AdapterError, ConfigError, Denied

if TYPE_CHECKING:
    import httpx2

Obj = Mapping[str, Any]
"""An object as the API gives it."""

FIELD_MANAGER = "mlgate"
KUBECONFIG_TEXT = "MLGATE_KUBECONFIG"
_STRICT = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
"""A field that the server does not know is refused: by itself it would drop it without an error."""

_TIMEOUT_S = 5.0
_TRIES = 3
_LONGEST_PAUSE_S = 5.0
_NOT_FOUND, _CONFLICT, _BUSY, _SERVER = 404, 409, 429, 500
_REFUSALS = (400, 403, 405, 415, 422)
_UNKNOWN_FIELD = "field not declared in schema"
"""What the server says with 500 of an apply that has a field it does not know: a refusal like any other."""


class Conflict(AdapterError):  # noqa: N818 - the API's own word
    """Somebody changed the object since it was read, or made one of its name."""


class Api:
    """One namespace of one cluster."""

    def __init__(self, http: httpx2.Client, namespace: str) -> None:
        self._http = http
        self.namespace = namespace

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def get(self, kind: Kind, name: str) -> Obj | None:
        """Return an object; None when there is none."""
        return self._ask("GET", kind.path(self.namespace, name), f"{kind} {name}", missing_is_fine=True)

    def list(
        self,
        kind: Kind,
        labels: Mapping[str, str],
        *,
        fields: Mapping[str, str] | None = None,
        missing_is_fine: bool = False,
    ) -> tuple[Obj, ...]:
        """Return the objects with all of *labels* and *fields*.

        *missing_is_fine*: none, where the cluster knows no such kind.
        """
        params = {"labelSelector": _selector(labels), "fieldSelector": _selector(fields or {})}
        found = self._ask(
            "GET",
            kind.path(self.namespace),
            f"{kind} list",
            params={name: value for name, value in params.items() if value},
            missing_is_fine=missing_is_fine,
        )
        return tuple(found["items"]) if found else ()

    def apply(self, kind: Kind, obj: Obj, *, dry_run: bool = False, force: bool = False) -> Obj:
        """Create an object or make it so (server-side apply), as mlgate's own fields; return it as it is then.

        With `metadata.resourceVersion` in *obj* it holds only for the object that was read. Raises Conflict when that
        changed, Denied when the cluster refuses it or another manager owns a field.
        """
        name = obj["metadata"]["name"]
        params = _STRICT | ({"dryRun": "All"} if dry_run else {})
        params |= {"force": "true"} if force else {}
        body = {"apiVersion": kind.api_version, "kind": kind.name, **obj}
        return self._write("PATCH", kind.path(self.namespace, name), f"{kind} {name}", body, params)

    def create(self, kind: Kind, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Create an object. Raises Conflict when it exists, Denied when the cluster refuses it.

        *dry_run*: nothing is kept, and a field that the cluster does not know is refused, too. Not else: what served
        before must come back, whatever the cluster has forgotten since.
        """
        body = {"apiVersion": kind.api_version, "kind": kind.name, **obj}
        params = {**_STRICT, "dryRun": "All"} if dry_run else {"fieldManager": FIELD_MANAGER}
        return self._write("POST", kind.path(self.namespace), f"{kind} {obj['metadata']['name']}", body, params)

    def replace(self, kind: Kind, obj: Obj) -> Obj:
        """Replace the object that was read. Raises Conflict when it was changed since."""
        name = obj["metadata"]["name"]
        path = kind.path(self.namespace, name)
        return self._write("PUT", path, f"{kind} {name}", obj, {"fieldManager": FIELD_MANAGER})

    def delete(self, kind: Kind, obj: Obj) -> None:
        """Delete the very object that was read. One that is gone, or was replaced by a new one of its name, is left."""
        name, uid = obj["metadata"]["name"], obj["metadata"]["uid"]
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        with contextlib.suppress(Conflict):
            path = kind.path(self.namespace, name)
            self._ask("DELETE", path, f"{kind} {name}", body=body, missing_is_fine=True)

    def fetch(self, path: str) -> Obj | None:
        """Return what is at a path of the API; None when there is nothing."""
        return self._ask("GET", path, path, missing_is_fine=True)

    def review(self, kind: str, spec: Obj) -> Obj:
        """Return the cluster's answer to a review, e.g. a SelfSubjectAccessReview. Nothing is kept of it."""
        version = "authorization.k8s.io/v1"
        body = {"apiVersion": version, "kind": kind, "metadata": {}, "spec": spec}
        found = self._write("POST", f"/apis/{version}/{kind.lower()}s", kind, body, {}).get("status")
        return found if isinstance(found, dict) else {}

    def _write(self, method: str, path: str, what: str, body: Obj, params: Mapping[str, str]) -> Obj:
        found = self._ask(method, path, what, body=body, params=params)
        assert found is not None
        return found

    def _ask(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: Obj | None = None,
        params: Mapping[str, str] | None = None,
        missing_is_fine: bool = False,
    ) -> Obj | None:
        """Send one request. Reading is tried again; of a write only what the server did not begin (429)."""
        for pause in _pauses():
            reply = self._send(method, path, what, body, params or {})
            again = reply.status_code == _BUSY or (method == "GET" and reply.status_code >= _SERVER)
            if not again or pause is None:
                break
            time.sleep(_asked_pause(reply, pause))
        if reply.status_code == _NOT_FOUND and missing_is_fine:
            return None
        if reply.is_success:
            return _json(reply, what)
        raise _error(reply, method, what)

    def _send(self, method: str, path: str, what: str, body: Obj | None, params: Mapping[str, str]) -> httpx2.Response:
        import httpx2
        from lightkube.core.exceptions import ConfigError as KubeConfigError

        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        content = None if body is None else json.dumps(body).encode()  # JSON is YAML
        try:
            return self._http.request(
                method, path, params=dict(params), content=content, headers={"content-type": kind}
            )
        except httpx2.HTTPError as error:
            host = self._http.base_url.host
            raise AdapterError(
                f"{what}: the Kubernetes API at {host} does not answer: {error or type(error).__name__}",
                hint="can this machine reach it? kubectl version",
            ) from error
        except (KubeConfigError, OSError) as error:
            raise AdapterError(f"{what}: no credentials for the Kubernetes API: {error}") from error


def _selector(wanted: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(wanted.items()))


def connect(context: str, namespace: str) -> Api:
    """Return the API of a context of the kubeconfig. No name: the current context; inside a pod, that cluster.

    The kubeconfig is the text in MLGATE_KUBECONFIG where there is one: a secret of CI needs no file on a disk.
    An empty *namespace* is the context's. Raises ConfigError when the file or the context cannot be used.
    """
    try:
        import httpx2
        import yaml
        from lightkube import KubeConfig
        from lightkube.config.client_adapter import Client, ConnectionParams
        from lightkube.core.exceptions import ConfigError as KubeConfigError
    except ImportError as error:
        raise ConfigError("a deploy needs an extra package", hint="pip install 'mlgate[kserve]'") from error
    try:
        text = os.environ.get(KUBECONFIG_TEXT, "").strip()
        kubeconfig = KubeConfig.from_dict(yaml.safe_load(text)) if text else KubeConfig.from_env()
        one = kubeconfig.get(context or None)
        assert one is not None
        http = Client(one, ConnectionParams(timeout=httpx2.Timeout(_TIMEOUT_S), trust_env=True))
    except (KubeConfigError, OSError, KeyError, ValueError) as error:
        raise ConfigError(
            f"the kubeconfig cannot be used: {error}",
            hint="which contexts are there? kubectl config get-contexts; KUBECONFIG names the file",
        ) from error
    except (yaml.YAMLError, TypeError, AttributeError) as error:  # its words would show the text, which is a secret
        raise ConfigError(
            f"the text in {KUBECONFIG_TEXT} is no kubeconfig", hint="put the file's text there"
        ) from error
    return Api(http, namespace or one.namespace)


def _pauses() -> Iterator[float | None]:
    """Yield how long to wait after each try; None after the last."""
    yield from (0.2 * 4**turn for turn in range(_TRIES - 1))
    yield None


def _asked_pause(reply: httpx2.Response, least: float) -> float:
    asked = reply.headers.get("retry-after", "")
    return min(max(float(asked), least), _LONGEST_PAUSE_S) if asked.isdecimal() else least


def _json(reply: httpx2.Response, what: str) -> Obj:
    try:
        found = reply.json()
    except ValueError as error:
        raise AdapterError(f"{what}: the Kubernetes API gave something that is not JSON") from error
    if not isinstance(found, dict):
        raise AdapterError(f"{what}: the Kubernetes API gave something that is no object")
    return found


def _error(reply: httpx2.Response, method: str, what: str) -> AdapterError | Denied:
    """Return what a reply that is no success means."""
    code, said, causes = _status(reply)
    if code == _CONFLICT:
        owned = [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]
        if owned:
            return Denied(
                f"{what}: fields of it belong to others: " + "; ".join(_owner(cause) for cause in owned),
                hint="let them give the fields up, or take them over: mlgate deploy --force-conflicts",
            )
        return Conflict(f"{what}: it was changed meanwhile")
    if code == 401:  # noqa: PLR2004
        return AdapterError(f"{what}: the Kubernetes API rejected the credentials (401)", hint="log in to the cluster")
    if code in _REFUSALS or (code == _SERVER and _UNKNOWN_FIELD in said):
        return Denied(f"{what}: {said}", hint=_hint(code, said))
    return AdapterError(f"{what}: the Kubernetes API answered {code} to {method}: {said}")


def _hint(code: int, said: str) -> str:
    if "exceeded quota" in said:
        return "the namespace's quota has no room for a second model beside the one that serves: raise it"
    if code == 403 and " cannot " in said:  # noqa: PLR2004
        return "give this user the Role of docs/reference/deploy-role.yaml"
    return ""


def _owner(cause: Mapping[str, Any]) -> str:
    manager = str(cause.get("message", "")).removeprefix("conflict with ").replace('"', "")
    return f"{cause.get('field', '?')} ({manager})"


def _status(reply: httpx2.Response) -> tuple[int, str, list[Mapping[str, Any]]]:
    """Return code, message and causes of an error; of what is no Status of Kubernetes, its first line."""
    try:
        found = reply.json()
        details = found.get("details") or {}
        return reply.status_code, str(found["message"]), list(details.get("causes") or [])
    except (ValueError, KeyError, AttributeError, TypeError):
        return reply.status_code, reply.text[:200].split("\n")[0] or "nothing", []
