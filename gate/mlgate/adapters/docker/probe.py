"""Whether the sandbox is what it says: looked at from inside its network, and in the kernel's own account of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlgate.adapters.docker.container import Container
from mlgate.adapters.docker.engine import engine_errors
from mlgate.adapters.docker.generator_image import GeneratorImage
from mlgate.adapters.docker.hardening import CONTAINER_USER, identity, limits
from mlgate.adapters.docker.sandbox import Sandbox
from mlgate.core.errors import AdapterError, Refused

if TYPE_CHECKING:
    from docker import DockerClient

UNREADABLE = "not readable"
"""The engine runs elsewhere, or this user may not look."""

_PROBE_S = 30
_MEMORY_MB = 128
_DEFAULT_ROUTES = ("00000000/00000000", f"{0:032x}/00")
"""To everywhere: IPv4 and IPv6, as the kernel writes them. What lies behind is not tried: the probe calls nobody."""
_EXPECTED = {
    "probe.network": "lo only",
    "probe.reaches": "nothing",
    "probe.capabilities": "none",
    "probe.user": CONTAINER_USER,
    "probe.privileges": "no new",
    "probe.seccomp": "filter",
    "probe.rootfs": "read-only",
}
"""What a strict sandbox shows. Network and reach must be seen; the rest where the kernel's account can be read."""
_MUST_BE_SEEN = ("probe.network", "probe.reaches")
_EVERYWHERE = ("probe.capabilities", "probe.user", "probe.privileges", "probe.seccomp", "probe.rootfs")
"""What holds in internal and open sandboxes too: they are weaker in the network only."""
_SECCOMP = {"0": "off", "1": "strict", "2": "filter"}


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the container, as the kernel of the engine's host sees it."""

    status: Mapping[str, str]
    """/proc/PID/status."""
    users: frozenset[int]
    """Its user ids as the container has them: an engine with user namespaces maps them to others of the host."""
    mounts: str | None
    """/proc/PID/mountinfo; None where this user may not read it."""


def probe(client: DockerClient, sandbox: Sandbox, driver: GeneratorImage) -> dict[str, str]:
    """Return what was found, by name: `probe.network` → `lo only`.

    Raises Refused when the sandbox is weaker than its mode says, ModelError when the model ended meanwhile.
    """
    inside = _look_inside(client, sandbox, driver)
    found = {"sandbox": sandbox.options.mode, **network(inside), **account(_processes(sandbox))}
    refuse(sandbox.options.mode, found)
    return found


def network(inside: Mapping[str, Any]) -> dict[str, str]:
    """Return what the network of the container is, from what `docker_inside` printed."""
    up = sorted(name for name, is_up in inside["interfaces"].items() if is_up)
    routes = inside["routes"]
    only = up in ([], ["lo"]) and not routes
    down = sorted(set(inside["interfaces"]) - set(up) - {"lo"})
    text = "lo only" if only else f"{', '.join(up)}; {len(routes)} routes"
    reached = sorted(name for name, answer in inside["reached"].items() if answer == "yes")
    if any(route.split()[-1] in _DEFAULT_ROUTES for route in routes):
        reached.append("beyond this machine")
    found = {"probe.network": text, "probe.reaches": ", ".join(reached) or "nothing"}
    return {**found, "probe.interfaces_down": ", ".join(down)} if down else found


def account(processes: Iterable[Process]) -> dict[str, str]:
    """Return what the kernel allows the container's processes: the most that any of them has."""
    seen = list(processes)
    if not seen:
        return dict.fromkeys(_EVERYWHERE, UNREADABLE)
    powers = {int(one.status[key], 16) for one in seen for key in ("CapEff", "CapPrm", "CapBnd", "CapAmb")}
    users = sorted({user for one in seen for user in one.users})
    most = 0
    for power in powers:
        most |= power
    return {
        "probe.capabilities": f"{most:x}" if most else "none",
        "probe.user": " ".join(map(str, users)),
        "probe.privileges": "no new" if all(one.status["NoNewPrivs"] == "1" for one in seen) else "can be gained",
        "probe.seccomp": " ".join(sorted({_SECCOMP.get(one.status["Seccomp"], "unknown") for one in seen})),
        "probe.rootfs": root_of([one.mounts for one in seen]),
    }


def root_of(tables: Iterable[str | None]) -> str:
    """Return whether the file system at / can be written to, by mountinfo: proc(5), fields 5 and 6."""
    options = [line.split()[5] for table in tables if table for line in table.splitlines() if line.split()[4] == "/"]
    if not options:
        return UNREADABLE
    return "read-only" if all("ro" in option.split(",") for option in options) else "writable"


def refuse(mode: str, found: Mapping[str, str]) -> None:
    """Raise Refused for the first finding that the mode does not allow."""
    for name in _EXPECTED if mode == "strict" else _EVERYWHERE:
        unseen = found[name] == UNREADABLE and name not in _MUST_BE_SEEN
        if found[name] != _EXPECTED[name] and not unseen:
            raise Refused(
                f"the {mode} sandbox is not what it says: {name} is {found[name]}, not {_EXPECTED[name]}",
                hint="look at the engine's configuration: seccomp profile, default runtime, user namespaces",
            )


def _look_inside(client: DockerClient, sandbox: Sandbox, driver: GeneratorImage) -> Mapping[str, Any]:
    targets = _gateway(client, sandbox)
    who = identity(sandbox.labels, {}, ["-m", "mlgate.adapters.docker.probe_inside", *targets])
    host = limits(network=f"container:{sandbox.container.id}", memory_mb=_MEMORY_MB, shm_mb=1)
    container = Container(client, driver.image_id, who=who, host=host)
    try:
        container.start()
        code = container.wait(_PROBE_S)
        said, log = container.log(stderr=False), container.log()
    except AdapterError:
        if not sandbox.alive():
            raise sandbox.dead() from None
        raise
    finally:
        container.remove()
    try:
        found: Mapping[str, Any] = json.loads(said)
    except ValueError as error:
        text = log[-300:].decode("utf-8", "replace")
        raise AdapterError(f"the sandbox could not be probed: exit code {code}: {text}") from error
    return found


def _gateway(client: DockerClient, sandbox: Sandbox) -> list[str]:
    """Return this host's address on the container's network as a target; its discard port, where nothing listens."""
    if sandbox.network is None:
        return []
    with engine_errors("the network cannot be inspected"):
        pools = client.api.inspect_network(sandbox.network.name)["IPAM"]["Config"] or []
    return [f"host={pool['Gateway'].partition('/')[0]}:9" for pool in pools if pool.get("Gateway")]


def _processes(sandbox: Sandbox) -> list[Process]:
    pids = [sandbox.container.state().pid, *sandbox.container.pids()]
    read = (_process(pid, sandbox.container.id) for pid in dict.fromkeys(pids) if pid > 0)
    return [process for process in read if process]


def _process(pid: int, container_id: str) -> Process | None:
    """Read a process of this host, if it is one of that container: an engine elsewhere has the same numbers."""
    folder = Path("/proc", str(pid))
    try:
        if container_id not in (folder / "cgroup").read_text():
            return None
        lines = (folder / "status").read_text(errors="replace").splitlines()
        uid_map = (folder / "uid_map").read_text()
    except OSError:
        return None
    try:
        mounts: str | None = (folder / "mountinfo").read_text(errors="replace")
    except OSError:
        mounts = None
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "CapEff" not in status:
        return None  # it ended while it was read
    return Process(status, frozenset(users_inside(map(int, status["Uid"].split()), uid_map)), mounts)


def users_inside(users: Iterable[int], uid_map: str) -> Iterable[int]:
    """Yield what the user ids of this host are in the namespace of *uid_map*, user_namespaces(7)."""
    table = [tuple(map(int, line.split())) for line in uid_map.splitlines()]
    for user in users:
        yield next((inside + user - outside for inside, outside, n in table if outside <= user < outside + n), user)
