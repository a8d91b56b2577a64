"""A gateway that mirrors requests, for the real cluster: Envoy, told by the HTTPRoutes of one namespace what to do.

The cluster's own gateway, Traefik, cannot mirror. Envoy can, and is the data plane of most gateways that do (Envoy
Gateway, Istio, Contour). What stands in for their control planes here is this file: it writes each route into Envoy's
files, waits until Envoy has it, and says so in the route's status. Run it inside the cluster's network.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.child_environment import child_environment
from tests.support.cluster.container import timestamp
from tests.support.waiting import PATIENCE, until

from mlgate.adapters.kubernetes.api import Api
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, SERVICE, Kind
from mlgate.core.errors import AdapterError

Json = dict[str, Any]

NAME = "envoy"
_CONTROLLER = "test.example.com/envoy"
_LOOK_S = 0.1
_SLICES = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
_TYPE = "type.googleapis.com/envoy"
_ROOT = Path(__file__).parents[2]


def program() -> Path:
    """Return Envoy, as `.ci/cluster` installs it."""
    (found,) = _ROOT.glob(".cache/cluster/lib/python*/site-packages/envoy/_bin/envoy")
    return found


@contextmanager
def envoy_gateway(api: Api, folder: Path) -> Iterator[str]:
    """Serve the HTTPRoutes of the API's namespace whose parent is NAME; yield the address."""
    users, admin = _free_ports(2)
    control = _Control(api, folder, admin)
    control.write()
    (folder / "envoy.json").write_text(json.dumps(_bootstrap(folder, users, admin)))
    words = [str(program()), "-c", str(folder / "envoy.json"), "--log-level", "warning", "--concurrency", "1"]
    with (folder / "envoy.log").open("w") as log:
        words.append("--use-dynamic-base-id")
        process = subprocess.Popen(words, env=child_environment(), stdout=log, stderr=subprocess.STDOUT)
        over = threading.Event()
        thread = threading.Thread(target=control.follow, args=(over,), daemon=True)
        try:
            until(lambda: _version(admin) is not None or process.poll() is not None)
            assert process.poll() is None, (folder / "envoy.log").read_text()
            thread.start()
            yield f"http://127.0.0.1:{users}"
        finally:
            over.set()
            process.terminate()
            process.wait()


@dataclass
class _Control:
    """What a gateway's controller does: from routes to Envoy's files, and back to the routes' status."""

    api: Api
    folder: Path
    admin: int
    version: int = 0
    written: tuple[Json, Json] = field(default_factory=lambda: ({}, {}))

    def follow(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_S):
            try:
                routes = self.write()
                until(lambda: _version(self.admin) == str(self.version) or over.is_set())
                for route in routes:
                    self.take(route)
            except (AdapterError, OSError):
                continue  # looked at again

    def write(self) -> list[Json]:
        """Write what Envoy is to do; return the routes that ask for it."""
        found = self.api.list(HTTP_ROUTE, {})
        routes = [one for one in found if one["spec"]["parentRefs"][0]["name"] == NAME]
        rules = [rule for route in routes for rule in route["spec"]["rules"]]
        services = {_cluster(ref): ref for rule in rules for ref in _refs(rule)}
        clusters = {"resources": [self.cluster(name, ref) for name, ref in sorted(services.items())]}
        table = {"resources": [_table(rules)]}
        if (clusters, table) != self.written:
            self.written, self.version = (clusters, table), self.version + 1
            for name, one in (("clusters", clusters), ("routes", table)):
                new = self.folder / f"{name}.new"
                new.write_text(json.dumps({"version_info": str(self.version), **one}))
                new.replace(self.folder / f"{name}.json")
        return [dict(one) for one in routes]

    def cluster(self, name: str, ref: Json) -> Json:
        """Return one Service's pods that are ready."""
        service = self.api.get(SERVICE, ref["name"]) or {"spec": {"ports": []}}
        wanted = {one.get("name", "") for one in service["spec"]["ports"] if one["port"] == ref["port"]}
        places = [
            (address, port["port"])
            for one in self.api.list(_SLICES, {"kubernetes.io/service-name": ref["name"]})
            for port in one.get("ports") or ()
            if (port.get("name") or "") in wanted
            for endpoint in one.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
            for address in endpoint["addresses"]
        ]
        return {
            "@type": f"{_TYPE}.config.cluster.v3.Cluster",
            "name": name,
            "type": "STATIC",
            "connect_timeout": "2s",
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{"lb_endpoints": [_endpoint(host, port) for host, port in sorted(places)]}],
            },
        }

    def take(self, route: Json) -> None:
        """Say in a route's status that Envoy has it."""
        generation, parent = route["metadata"]["generation"], route["spec"]["parentRefs"][0]
        there = (route.get("status") or {}).get("parents") or ()
        given = [one for one in there if one["controllerName"] == _CONTROLLER]
        if given and given[0]["conditions"][0]["observedGeneration"] == generation:
            return
        conditions = [
            {
                "type": kind,
                "status": "True",
                "reason": kind,
                "message": "",
                "observedGeneration": generation,
                "lastTransitionTime": timestamp(),
            }
            for kind in ("Accepted", "ResolvedRefs")
        ]
        mine = {"parentRef": parent, "controllerName": _CONTROLLER, "conditions": conditions}
        meta = route["metadata"]
        place = f"/apis/gateway.networking.k8s.io/v1/namespaces/{meta['namespace']}/httproutes/{meta['name']}/status"
        patch = {"Content-Type": "application/merge-patch+json"}
        self.api._http.patch(place, content=json.dumps({"status": {"parents": [mine]}}), headers=patch)


def _refs(rule: Json) -> list[Json]:
    return [*rule["backendRefs"], *(one["requestMirror"]["backendRef"] for one in rule.get("filters") or ())]


def _cluster(ref: Json) -> str:
    return f"{ref['name']}:{ref['port']}"


def _table(rules: list[Json]) -> Json:
    """Return the routes, what asks for more first."""
    matches = [(match, rule) for rule in rules for match in rule["matches"]]
    matches.sort(key=lambda one: (-len(one[0]["path"]["value"]), -len(one[0].get("headers") or ())))
    return {
        "@type": f"{_TYPE}.config.route.v3.RouteConfiguration",
        "name": "all",
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [_route(*one) for one in matches]}],
    }


def _route(match: Json, rule: Json) -> Json:
    path = match["path"]["value"].rstrip("/")
    headers = [
        {"name": one["name"], "string_match": _text(one.get("type", "Exact"), one["value"])}
        for one in match.get("headers") or ()
    ]
    shares = [{"name": _cluster(one), "weight": one.get("weight", 1)} for one in rule["backendRefs"]]
    mirrors = [{"cluster": _cluster(one["requestMirror"]["backendRef"])} for one in rule.get("filters") or ()]
    matched = {**({"path_separated_prefix": path} if path else {"prefix": "/"}), "headers": headers}
    if not any(one["weight"] for one in shares):
        return {"match": matched, "direct_response": {"status": 500}}
    return {
        "match": matched,
        "route": {"weighted_clusters": {"clusters": shares}, "request_mirror_policies": mirrors},
    }


def _text(kind: str, value: str) -> Json:
    return {"exact": value} if kind == "Exact" else {"safe_regex": {"regex": value}}


def _endpoint(host: str, port: int) -> Json:
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [int(line.getsockname()[1]) for line in lines]


def _bootstrap(folder: Path, users: int, admin: int) -> Json:
    manager = {
        "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "users",
        "rds": {"route_config_name": "all", "config_source": _file(folder / "routes.json")},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "users",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": users}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    return {
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "dynamic_resources": {"cds_config": _file(folder / "clusters.json")},
        "static_resources": {"listeners": [listener]},
    }


def _file(path: Path) -> Json:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def _version(admin: int) -> str | None:
    """Return which version of the routes Envoy has; None: none yet."""
    line = http.client.HTTPConnection("127.0.0.1", admin, timeout=PATIENCE)
    try:
        line.request("GET", "/config_dump?resource=dynamic_route_configs")
        found = json.loads(line.getresponse().read()).get("configs") or [{}]
        return str(found[0]["version_info"]) if "version_info" in found[0] else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        line.close()
