"""Runtimes as containers of a Docker daemon, near or far: no disk is shared with it, and no port is opened.

A container's name says what it is, so nothing else has to be kept: `collegium-HOUSE-RUNTIME` is lent,
`collegium-HOUSE.waiting-…` waits in the pool, `collegium-HOUSE.gone-…` is being removed. The stream to an agent is a
program run in the container (`collegium_agent.door`), which reaches the agent's socket inside.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp
import anyio
from aiodocker.containers import DockerContainer
from aiodocker.events import DockerEvents
from aiodocker.stream import Stream
from anyio.abc import ByteStream

from collegium.ground.errors import Conflict, Invalid, NotFound, Unavailable
from collegium.ground.ids import RuntimeId, new_id
from collegium.ground.log import get_log
from collegium.runtimes.model import Limits, Machine, Specification, State, Usage
from collegium.runtimes.settings import DockerSettings

ENVIRONMENT = "/opt/collegium/environment"
AGENT_HOME = "/opt/collegium/agent"
STATE = "/var/lib/collegium"
SOCKET = f"{STATE}/agent.sock"
USER = "1000:1000"
PYTHON = f"{ENVIRONMENT}/bin/python"
DOOR = [PYTHON, "-P", "-m", "collegium_agent.door"]
COMMAND = [
    *DOOR, "listen", SOCKET, PYTHON, "-P", "-m", "collegium_agent", "--listen-fd", "3", "--state", STATE,
]  # fmt: skip
DOOR_SECONDS_MAX = 20.0
"""How long a container that runs may take to listen."""
RETRY_SECONDS = 0.1
FILTER = Path(__file__).with_name("docker_seccomp.json")
"""Which system calls are allowed: the local engine's list, from which it is made."""
MASKED = [
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi",
    "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware", "/sys/fs/cgroup", "/sys/kernel",
]  # fmt: skip
STOPPED = ("exited", "dead", "removing")
MISSING_DISK = {
    "what": "disk limits",
    "detail": "the daemon's storage cannot bound a container",
    "remedy": "keep Docker's data on xfs mounted with prjquota, and set COLLEGIUM_DOCKER__DISK_LIMITS=true",
}

log = get_log("runtimes")


class DockerEngine:
    """The port `Engine` over Docker's API. Holds no truth: every question is asked of the daemon."""

    name = "docker"

    def __init__(self, settings: DockerSettings, *, house: str) -> None:
        self._settings = settings
        self._house = sha256(house.encode()).hexdigest()[:12]
        self._client: aiodocker.Docker | None = None
        self._giving = anyio.Lock()

    async def aclose(self) -> None:
        """Let the connections go; containers go on."""
        if self._client is not None:
            await self._client.close()

    # ── the port ───────────────────────────────────────────────────────────────────────────────────────────────

    async def status(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        async with self._asked() as docker:
            info = await docker.system.info()
        waiting = [one async for one in self._containers("waiting-")]
        lent = [one async for one in self._containers("")]
        return {
            "engine": "docker",
            "boot": "",
            "isolation": {
                "in_force": True,
                "namespaces": ["mnt", "pid", "net", "ipc", "uts"],
                "seccomp": "allow list" if any("seccomp" in one for one in info.get("SecurityOptions", [])) else "",
                "runtime": self._runtime(info) or info.get("DefaultRuntime", "runc"),
                "distinct_users": any("userns" in option for option in info.get("SecurityOptions", [])),
            },
            "network": sorted(self._settings.networks),
            "limits": {
                "memory": {"enforced": bool(info.get("MemoryLimit")), "by": "docker"},
                "processes": {"enforced": bool(info.get("PidsLimit")), "by": "docker"},
                "cpus": {"enforced": bool(info.get("CpuCfsQuota")), "by": "docker"},
                "disk": {"enforced": self._settings.disk_limits, "by": info.get("Driver", "")},
            },
            "missing": [] if self._settings.disk_limits else [MISSING_DISK],
            "runtimes": len(lent),
            "pool": {"ready": len(waiting), "wanted": len(waiting)},
        }

    async def create(self, runtime: RuntimeId, wanted: Specification) -> Machine:
        """A ready runtime: the one of this id, one that waits, or a new one."""
        name = self._name(runtime)
        async with self._asked() as docker:
            known = await _find(docker, name)
            if known is None:
                known = await self._from_pool(docker, name, wanted) or await self._make(docker, name, wanted)
        await self._wait_for_agent(known, name)
        return await self._machine(runtime, known)

    async def list(self) -> list[Machine]:
        """Containers that are lent."""
        return [await self._machine(self._lent(name), one) async for name, one in self._containers("")]

    async def get(self, runtime: RuntimeId) -> Machine:
        """One, with its usage."""
        async with self._asked() as docker:
            found = await self._known(docker, runtime)
            machine = await self._machine(runtime, found)
            usage = Usage() if machine.state is not State.READY else await _usage(docker, found)
            return Machine(machine.id, machine.state, machine.reason, machine.limits, usage)

    async def delete(self, runtime: RuntimeId) -> None:
        """Renamed first, so that whoever watches knows that this end was asked for."""
        async with self._asked() as docker:
            found = await self._known(docker, runtime)
            await found.rename(f"collegium-{self._house}.gone-{new_id()}")
            await found.delete(force=True, v=True)

    async def keep_ready(self, stock: Sequence[tuple[Specification, int]]) -> None:
        """Fill the pool; what waits and is not wanted goes, and so does what an earlier removal left."""
        wanted = {_digest(specification): (specification, count) for specification, count in stock}
        async with self._asked() as docker, self._giving:
            async for _, one in self._containers("gone-"):
                await one.delete(force=True, v=True)
            have: dict[str, int] = {}
            async for name, one in self._containers("waiting-"):
                digest = name.partition(".waiting-")[2].partition("-")[0]
                kept = have.get(digest, 0) < wanted.get(digest, (None, 0))[1]
                if kept and (await one.show())["State"]["Running"]:
                    have[digest] = have.get(digest, 0) + 1
                else:
                    await one.delete(force=True, v=True)
            for digest, (specification, count) in wanted.items():
                for _ in range(count - have.get(digest, 0)):
                    await self._make(docker, f"collegium-{self._house}.waiting-{digest}-{new_id()}", specification)

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A program in the container carries the bytes."""
        async with self._asked() as docker:
            found = await self._known(docker, runtime)
            return await _open(found)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Machine]]:
        """The daemon's own events, by the names of containers."""
        async with self._asked() as docker:
            events = _events(docker)
            heard = events.subscribe(create_task=False)
            filters = json.dumps({"type": ["container"], "label": [f"collegium.house={self._house}"]})
            async with anyio.create_task_group() as tasks:
                since = _seconds((await docker.system.info())["SystemTime"])
                tasks.start_soon(_run_events, events, {"filters": filters, "since": since})
                try:
                    yield self._changes(heard)
                finally:
                    tasks.cancel_scope.cancel()

    async def _changes(self, heard: Any) -> AsyncIterator[Machine]:
        while (event := await heard.get()) is not None:
            attributes = event["Actor"]["Attributes"]
            name, before = attributes["name"], attributes.get("oldName", "").lstrip("/")
            limits = _limits(attributes)
            match event["Action"]:
                case "start" | "rename" if self._is_lent(name):
                    yield Machine(self._lent(name), State.READY, "", limits)
                case "rename" if self._is_lent(before):
                    yield Machine(self._lent(before), State.STOPPED, "", limits)
                case "die" if self._is_lent(name):
                    yield Machine(
                        self._lent(name), State.FAILED, _why(False, attributes.get("exitCode"), limits), limits
                    )

    # ── containers ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _from_pool(self, docker: aiodocker.Docker, name: str, wanted: Specification) -> DockerContainer | None:
        async with self._giving:
            async for _, one in self._containers(f"waiting-{_digest(wanted)}-"):
                if (await one.show())["State"]["Running"]:
                    await one.rename(name)
                    return one
        return None

    async def _make(self, docker: aiodocker.Docker, name: str, wanted: Specification) -> DockerContainer:
        if wanted.network.mode not in self._settings.networks:
            raise Unavailable(f"No Docker network is set for runtimes with the network {wanted.network.mode!r}.")
        if wanted.layers:
            raise Unavailable("Environments pinned to a notebook cannot be used with the Docker engine yet.")
        try:
            info = await docker.system.info()
            made = await docker.containers.create(self._config(wanted, self._runtime(info)), name=name)
        except aiodocker.DockerError as error:
            if error.status in (400, 404):
                raise Invalid(f"Docker has no image {wanted.environment!r}: see `collegium image --help`.") from error
            if error.status == 409 and (known := await _find(docker, name)) is not None:
                return known
            raise
        try:
            await made.start()
        except aiodocker.DockerError as error:
            await made.delete(force=True, v=True)
            raise Unavailable(f"Docker cannot start the runtime: {error.message}") from error
        log.info("container.started", name=name)
        return made

    def _config(self, wanted: Specification, runtime: str | None) -> dict[str, Any]:
        limits, networks = wanted.limits, {str(mode): name for mode, name in self._settings.networks.items()}
        threads = str(max(1, round(limits.cpus)))
        variables = {
            "PATH": f"{ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/home/colab",
            "USER": "colab",
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "VIRTUAL_ENV": ENVIRONMENT,
            "PYTHONPATH": AGENT_HOME,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            **wanted.variables,
        }
        host = {
            "Memory": limits.memory_bytes,
            "MemorySwap": limits.memory_bytes,
            "NanoCpus": int(limits.cpus * 1e9),
            "PidsLimit": limits.processes,
            "ShmSize": limits.memory_bytes // 2,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", f"seccomp={FILTER.read_text()}"],
            "MaskedPaths": MASKED,
            "NetworkMode": networks[wanted.network.mode],
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
            "Devices": [
                {"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"} for path in wanted.devices
            ],
            "Binds": [f"{path}:{path}:ro" for path in wanted.binds],
            "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
        }  # fmt: skip
        if self._settings.disk_limits:
            host["StorageOpt"] = {"size": str(limits.disk_bytes)}
        if runtime is not None:
            host["Runtime"] = runtime
        return {
            "Image": wanted.environment,
            "Cmd": [*COMMAND, *(["--warm", "python3"] if wanted.preload else [])],
            "Entrypoint": [],
            "User": USER,
            "WorkingDir": "/content",
            "Hostname": "runtime",
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Labels": {"collegium.house": self._house, "collegium.limits": json.dumps(asdict(limits))},
            "HostConfig": host,
        }

    def _runtime(self, info: Mapping[str, Any]) -> str | None:
        """gVisor where there is some, unless the settings say otherwise."""
        if self._settings.runtime is not None:
            return self._settings.runtime
        return "runsc" if "runsc" in info.get("Runtimes", {}) else None

    async def _machine(self, runtime: RuntimeId, container: DockerContainer) -> Machine:
        try:
            shown = await container.show()
        except aiodocker.DockerError as error:
            raise NotFound(f"There is no runtime {runtime[:32]}.") from error
        limits, state = _limits(shown["Config"]["Labels"]), shown["State"]
        if state["Status"] in STOPPED:
            why = _why(state["OOMKilled"], str(state["ExitCode"]), limits)
            return Machine(runtime, State.FAILED, why, limits)
        return Machine(runtime, State.READY if state["Running"] else State.STARTING, "", limits)

    async def _wait_for_agent(self, container: DockerContainer, name: str) -> None:
        with anyio.move_on_after(DOOR_SECONDS_MAX):
            while (await container.show())["State"]["Running"]:
                door = await container.exec(["test", "-S", SOCKET], user=USER)
                async with door.start(detach=False) as stream:
                    await stream.read_out()
                if (await door.inspect())["ExitCode"] == 0:
                    return
                await anyio.sleep(RETRY_SECONDS)
        words = "".join(await container.log(stdout=True, stderr=True, tail=5))[-500:]
        await container.delete(force=True, v=True)
        raise Unavailable(f"The runtime did not begin to listen: {words}")

    # ── names ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _name(self, runtime: RuntimeId) -> str:
        return f"collegium-{self._house}-{runtime}"

    def _is_lent(self, name: str) -> bool:
        return name.startswith(self._name(RuntimeId("")))

    def _lent(self, name: str) -> RuntimeId:
        return RuntimeId(name.removeprefix(self._name(RuntimeId(""))))

    async def _containers(self, prefix: str) -> AsyncIterator[tuple[str, DockerContainer]]:
        """Those of this house, by what their names begin with; lent ones if `prefix` is empty."""
        start = f"collegium-{self._house}.{prefix}" if prefix else self._name(RuntimeId(""))
        filters = json.dumps({"label": [f"collegium.house={self._house}"]})
        async with self._asked() as docker:
            for found in await docker.containers.list(all=1, filters=filters):
                name = found["Names"][0].lstrip("/")
                if name.startswith(start):
                    yield name, found

    async def _known(self, docker: aiodocker.Docker, runtime: RuntimeId) -> DockerContainer:
        found = await _find(docker, self._name(runtime))
        if found is None:
            raise NotFound(f"There is no runtime {runtime[:32]}.")
        return found

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[aiodocker.Docker]:
        """The client; what the daemon refuses or does not hear is Unavailable."""
        if self._client is None:
            self._client = aiodocker.Docker(url=self._settings.url)
        try:
            yield self._client
        except aiodocker.DockerError as error:
            if error.status == 409:
                raise Conflict(f"Docker: {error.message}") from error
            raise Unavailable(f"Docker refused: {error.message}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable("The Docker daemon cannot be reached.") from error


class ExecStream(ByteStream):
    """Standard input and output of a program in a container, as one stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._rest = b""
        self._closed = False

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """At least one byte, or EndOfStream."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        while not self._rest:
            if self._closed:
                raise anyio.ClosedResourceError
            try:
                message = await self._stream.read_out()
            except (aiohttp.ClientError, OSError) as error:
                raise anyio.BrokenResourceError from error
            if message is None:
                raise anyio.EndOfStream
            if message.stream == 1:
                self._rest = message.data
        taken, self._rest = self._rest[:max_bytes], self._rest[max_bytes:]
        return taken

    async def send(self, item: bytes) -> None:
        """Hand the bytes to the daemon."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise anyio.ClosedResourceError
        try:
            await self._stream.write_in(item)
        except (aiohttp.ClientError, OSError, AssertionError) as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """Nothing more will be sent; what the program still says can be read."""
        connection = None if self._stream._resp is None else self._stream._resp.connection
        if connection is not None and connection.transport is not None and connection.transport.can_write_eof():
            connection.transport.write_eof()

    async def aclose(self) -> None:
        """The program sees the end of its input, and ends."""
        self._closed = True
        await self._stream.close()


async def _open(container: DockerContainer) -> ExecStream:
    door = await container.exec(
        [*DOOR, "connect", SOCKET], stdin=True, user=USER, environment={"PYTHONPATH": AGENT_HOME}
    )
    stream = door.start(detach=False)
    await stream.__aenter__()
    return ExecStream(stream)


async def _find(docker: aiodocker.Docker, name: str) -> DockerContainer | None:
    try:
        return await docker.containers.get(name)
    except aiodocker.DockerError as error:
        if error.status == 404:
            return None
        raise


async def _run_events(events: Any, parameters: dict[str, str]) -> None:
    try:
        await events.run(**parameters)
    except (aiohttp.ClientError, OSError) as error:
        log.warning("engine.events_ended", why=str(error))
        await events.channel.publish(None)


def _events(docker: aiodocker.Docker) -> Any:
    return DockerEvents(docker)  # type: ignore[no-untyped-call]


async def _usage(docker: aiodocker.Docker, container: DockerContainer) -> Usage:
    """The daemon's statistics, and the room that the container takes."""
    # One sample, asked for as such: of a stream that is left after its first, nobody closes the connection.
    one_sample: dict[str, Any] = {"stream": "0", "one-shot": "1"}
    counted: dict[str, Any] = await docker._query_json(f"containers/{container.id}/stats", params=one_sample)
    memory, cache = counted.get("memory_stats", {}), counted.get("memory_stats", {}).get("stats", {})
    inactive = cache.get("total_inactive_file", cache.get("inactive_file", 0))
    shown = await container.show(size=1)
    nanoseconds = counted.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage")
    return Usage(
        memory_bytes=None if "usage" not in memory else max(0, memory["usage"] - inactive),
        memory_peak_bytes=memory.get("max_usage"),
        cpu_seconds=None if nanoseconds is None else nanoseconds / 1e9,
        processes=counted.get("pids_stats", {}).get("current"),
        disk_bytes=shown.get("SizeRw"),
        oom_kills=await _oom_kills(docker, shown["Id"], shown["Created"]),
    )


async def _oom_kills(docker: aiodocker.Docker, id: str, created: str) -> int:
    """How often memory ran out in a container, by the daemon's memory of events."""
    events = _events(docker)
    heard = events.subscribe(create_task=False)
    now = (await docker.system.info())["SystemTime"]
    await events.run(
        filters=json.dumps({"container": [id], "event": ["oom"]}), since=_seconds(created), until=_seconds(now)
    )
    return sum(event is not None for event in _drained(heard.queue))


def _drained(queue: Any) -> Iterator[Any]:
    while not queue.empty():
        yield queue.get_nowait()


def _seconds(time: str) -> str:
    """The daemon's time as it wants to be asked for it: seconds since 1970."""
    return str(datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", time)).timestamp())


def _limits(labels: dict[str, str]) -> Limits:
    return Limits(**json.loads(labels["collegium.limits"]))


def _why(out_of_memory: bool, code: str | None, limits: Limits) -> str:
    if out_of_memory:
        return f"it ran out of memory (limit {limits.memory_bytes >> 20} MiB)"
    return f"its first process ended (status {code})"


def _digest(wanted: Specification) -> str:
    """One text for equal specifications; part of the names of those that wait."""
    return sha256(json.dumps(asdict(wanted), sort_keys=True, default=str).encode()).hexdigest()[:16]
