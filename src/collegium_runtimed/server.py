"""The engine's socket: one request per frame, answers in the order they come to be, and a watch on what changes."""

import asyncio
import os
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from collegium_runtimed import frames
from collegium_runtimed.engine import Engine, EngineError
from collegium_runtimed.plan import Limits, Network
from collegium_runtimed.pool import Pool, Want
from collegium_runtimed.records import Kind, Record

EVENTS_WAITING_MAX = 1000
POOL_READY_MAX = 64
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
NETWORK_MODES = ("none", "packages", "internet")
LIST_MAX = 64
TEXT_MAX = 4096
SOCKET = "runtimed.sock"


class Server:
    """Answers the server of Collegium and root, and nobody else."""

    def __init__(self, engine: Engine, pool: Pool) -> None:
        self.last_seen = asyncio.get_running_loop().time()
        self.stopping = asyncio.Event()
        self._engine = engine
        self._pool = pool
        self._writers: set[asyncio.StreamWriter] = set()
        self._watchers: set[asyncio.Queue[dict[str, Any]]] = set()
        engine.on_change = self._changed
        self._answers: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "status": self._status,
            "create": self._create,
            "list": self._list,
            "get": self._get,
            "printed": self._printed,
            "delete": self._delete,
            "seal": self._seal,
            "drop_layer": self._drop_layer,
            "pool": self._set_pool,
            "stop": self._stop,
        }

    async def listen(self) -> asyncio.Server:
        """Begin to answer."""
        path = self._engine.run / SOCKET
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, str(path), limit=frames.FRAME_BYTES_MAX)
        os.chmod(path, 0o660)
        if self._engine.root:
            os.chown(path, 0, self._engine.options.gid)
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_welcome(writer.get_extra_info("socket")):
            writer.close()
            return
        self._writers.add(writer)
        try:
            while True:
                request = frames.decode(await reader.readexactly(frames.length(await reader.readexactly(4))))
                if request.get("op") == "watch":
                    await self._watch(reader, writer, request)
                    return
                writer.write(frames.encode(await self._answer(request)))
                await writer.drain()
        except (frames.BadFrame, asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            self.last_seen = asyncio.get_running_loop().time()
            writer.close()

    @property
    def connections(self) -> int:
        """How many are listening or asking now."""
        return len(self._writers)

    def hang_up(self) -> None:
        """End every conversation."""
        for writer in list(self._writers):
            writer.close()

    def _is_welcome(self, connection: socket.socket) -> bool:
        size = struct.calcsize("3i")
        _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return uid in (0, os.geteuid(), self._engine.options.uid)

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        number = request.get("id")
        operation = self._answers.get(str(request.get("op")))
        try:
            if operation is None:
                raise EngineError("invalid", "no such operation")
            return {"id": number, "ok": await operation(request)}
        except EngineError as error:
            return {"id": number, "error": {"code": error.code, "detail": str(error)}}
        except (OSError, TimeoutError) as error:
            print(f"request {request.get('op')!r} failed: {error!r}", flush=True)
            return {"id": number, "error": {"code": "unavailable", "detail": f"{type(error).__name__}: {error}"}}

    # ── operations ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _status(self, _request: dict[str, Any]) -> dict[str, Any]:
        engine, enforced = self._engine, self._engine.groups.enforced()
        return {
            "engine": "local",
            "pid": os.getpid(),
            "root": engine.root,
            "isolation": {
                "in_force": not engine.isolation_error,
                "namespaces": ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"],
                "seccomp": "allow list",
                "distinct_users": engine.root,
                "network": sorted(engine.networks.modes),
            },
            "limits": {
                "memory": _limit(engine, "memory", "for each process, not for all together"),
                "processes": {"enforced": True, "by": engine.groups.kind if "processes" in enforced else "rlimit"},
                "cpus": _limit(engine, "cpus", ""),
                "disk": {"enforced": engine.disk_enforced, "by": "disk image" if engine.disk_enforced else ""},
            },
            "network": sorted(engine.networks.modes),
            "allow": list(engine.options.allow),
            "writable_environments": engine.writable,
            "disk_quota": engine.disk_enforced,
            "zygotes": await asyncio.to_thread(engine.zygotes.status),
            "missing": engine.missing,
            "runtimes": sum(record.runtime is not None for record in engine.records.values()),
            "pool": {"ready": self._pool.ready, "wanted": sum(want.ready for want in self._pool.wants)},
        }

    async def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        runtime, kind = _name(request, "runtime"), _kind(request)
        try:
            return self._describe(self._engine.find(runtime))
        except EngineError:
            return self._describe(await self._pool.take(kind, runtime))

    async def _list(self, _request: dict[str, Any]) -> dict[str, Any]:
        lent = [record for record in self._engine.records.values() if record.runtime is not None]
        return {"runtimes": [self._describe(record) for record in lent]}

    async def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._engine.find(_name(request, "runtime"))
        usage = await asyncio.to_thread(self._engine.usage, record)
        return self._describe(record) | {"usage": usage}

    async def _printed(self, request: dict[str, Any]) -> dict[str, Any]:
        """What its processes printed since."""
        record = self._engine.find(_name(request, "runtime"))
        after = int(_number(request, "after", least=0, most=1 << 40))
        text, end = await asyncio.to_thread(self._engine.printed, record, after)
        return {"text": text, "end": end}

    async def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._engine.delete(_name(request, "runtime"))
        return {}

    async def _seal(self, request: dict[str, Any]) -> dict[str, Any]:
        """What was installed in a runtime becomes a layer, and the runtime ends."""
        return {"path": await self._engine.seal(_name(request, "runtime"), _name(request, "layer"))}

    async def _drop_layer(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._engine.drop_layer(_name(request, "layer"))
        return {}

    async def _set_pool(self, request: dict[str, Any]) -> dict[str, Any]:
        wants = request.get("of")
        if not isinstance(wants, list) or not all(isinstance(want, dict) for want in wants):
            raise EngineError("invalid", "`of` is a list of objects")
        self._pool.want(
            tuple(Want(_kind(want), int(_number(want, "ready", least=0, most=POOL_READY_MAX))) for want in wants)
        )
        return {}

    async def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """End the engine; with `runtimes`, all of them first."""
        self._pool.want(())
        for record in list(self._engine.records.values()):
            if request.get("runtimes") is True or record.runtime is None:
                await self._engine.discard(record)
        self.stopping.set()
        return {}

    def _describe(self, record: Record) -> dict[str, Any]:
        limits = record.kind.limits
        return {
            "runtime": record.runtime,
            "state": record.state,
            "reason": record.reason,
            "type": record.kind.type,
            "version": record.kind.version,
            "network": record.kind.network.mode,
            "created_at": record.created_at,
            "limits": {
                "memory_bytes": limits.memory_bytes,
                "cpus": limits.cpus,
                "processes": limits.processes,
                "disk_bytes": limits.disk_bytes,
            },
        }

    # ── watching ───────────────────────────────────────────────────────────────────────────────────────────────

    def _changed(self, record: Record) -> None:
        if record.runtime is None:
            return
        event = {"event": "runtime"} | self._describe(record)
        for queue in list(self._watchers):
            if queue.full():
                self._watchers.discard(queue)  # whoever reads too slowly is let go, and lists again
                queue.get_nowait()
                queue.put_nowait({})
            else:
                queue.put_nowait(event)

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(EVENTS_WAITING_MAX)

        def hung_up(task: asyncio.Task[bytes]) -> None:
            if not task.cancelled():
                task.exception()  # how it ended does not matter
                if not queue.full():
                    queue.put_nowait({})

        gone = asyncio.get_running_loop().create_task(reader.read(1))
        gone.add_done_callback(hung_up)
        self._watchers.add(queue)
        try:
            writer.write(frames.encode({"id": request.get("id"), "ok": {}}))
            while event := await queue.get():
                writer.write(frames.encode(event))
                await writer.drain()
        finally:
            self._watchers.discard(queue)
            gone.cancel()


def _limit(engine: Engine, name: str, otherwise: str) -> dict[str, Any]:
    enforced = name in engine.groups.enforced()
    return {"enforced": enforced, "by": engine.groups.kind if enforced else otherwise}


def _name(request: dict[str, Any], key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise EngineError("invalid", f"`{key}` is a short name")
    return value


def _number(request: dict[str, Any], key: str, *, least: float, most: float) -> float:
    value = request.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise EngineError("invalid", f"`{key}` is a number from {least} to {most}")
    return value


def _kind(request: dict[str, Any]) -> Kind:
    limits, environment = request.get("limits"), request.get("environment")
    if not isinstance(limits, dict) or not isinstance(environment, str) or len(environment) > 4096:
        raise EngineError("invalid", "`limits` is an object and `environment` a path")
    return Kind(
        type=_name(request, "type"),
        version=_name(request, "version"),
        environment=environment,
        limits=Limits(
            memory_bytes=int(_number(limits, "memory_bytes", least=64 << 20, most=1 << 50)),
            cpus=float(_number(limits, "cpus", least=0.05, most=4096)),
            processes=int(_number(limits, "processes", least=16, most=1 << 20)),
            disk_bytes=int(_number(limits, "disk_bytes", least=16 << 20, most=1 << 50)),
        ),
        network=_network(request),
        layers=_texts(request, "layers"),
        devices=_texts(request, "devices"),
        binds=_texts(request, "binds"),
        variables=_variables(request),
        preload=_texts(request, "preload"),
    )


def _network(request: dict[str, Any]) -> Network:
    network = request.get("network", {})
    if not isinstance(network, dict) or network.get("mode", "none") not in NETWORK_MODES:
        raise EngineError("invalid", f"`network` has a `mode`, one of {', '.join(NETWORK_MODES)}")
    return Network(network.get("mode", "none"), _texts(network, "allow"))


def _texts(request: dict[str, Any], name: str) -> tuple[str, ...]:
    value = request.get(name, [])
    if not isinstance(value, list) or len(value) > LIST_MAX:
        raise EngineError("invalid", f"`{name}` is a list of texts")
    if not all(isinstance(text, str) and 0 < len(text) <= TEXT_MAX and "\0" not in text for text in value):
        raise EngineError("invalid", f"`{name}` is a list of texts")
    return tuple(value)


def _variables(request: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    value = request.get("variables", {})
    if not isinstance(value, dict) or len(value) > LIST_MAX:
        raise EngineError("invalid", "`variables` is an object of texts")
    if not all(VARIABLE.fullmatch(name) and isinstance(text, str) and "\0" not in text for name, text in value.items()):
        raise EngineError("invalid", "`variables` is an object of texts")
    return tuple(value.items())
