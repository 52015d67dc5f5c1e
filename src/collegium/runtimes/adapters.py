"""The local engine, reached over its socket, and started when it is not running."""

import glob
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream

from collegium.ground.errors import CollegiumError, Conflict, Invalid, NotFound, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.ground.log import get_log
from collegium.ground.streams import connect_unix
from collegium.runtimes.model import Limits, Machine, Specification, State, Usage

FRAME_BYTES_MAX = 1 << 20
START_SECONDS_MAX = 20.0
REQUEST_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02
LOG_BYTES_KEPT = 1 << 20
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
ALREADY_RUNNING = 75
"""The exit status of an engine that found another one at work in its data folder."""

log = get_log("runtimes")


def start_engine(data: Path, *, uid: int, gid: int, environments: Path, allow: Iterable[str] = ()) -> None:
    """Start the engine of a data folder as who we are, for a server of this user, and wait until it answers.

    `allow`: the device nodes and files of the machine that a runtime may be given, whoever asks for it. Does nothing
    if one runs already. Blocks; raises Unavailable if it does not come up.
    """
    if _answers(data):
        return
    path = data / "runtimed.log"
    mode = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    if path.exists() and path.stat().st_size > LOG_BYTES_KEPT:
        mode |= os.O_TRUNC
    output = os.open(path, mode, 0o600)
    command = [
        sys.executable, "-P", "-m", "collegium_runtimed", "--background",
        "--data", str(data), "--user", f"{uid}:{gid}", "--environments", str(environments),
    ]  # fmt: skip
    command += [word for path in allow for word in ("--allow", glob.escape(path))]
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/",
            timeout=START_SECONDS_MAX,
        )  # fmt: skip
    finally:
        os.close(output)
    deadline = time.monotonic() + START_SECONDS_MAX
    while not _answers(data):
        if time.monotonic() > deadline or result.returncode not in (0, ALREADY_RUNNING):
            raise Unavailable(f"The runtime engine does not start; {path} says why.")
        time.sleep(POLL_SECONDS)


def _answers(data: Path) -> bool:
    try:
        run = os.open(data / "run", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"/proc/self/fd/{run}/runtimed.sock")
            return True
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except PermissionError:
        raise Unavailable(f"The runtime engine in {data} serves another user than this one.") from None
    finally:
        os.close(run)


class LocalEngine:
    """Speaks to `collegium_runtimed`: a connection per request, so that nothing has to be mended when it restarts."""

    name = "local"

    def __init__(self, data: Path, *, environments: Path, allow: Iterable[str] = ()) -> None:
        self._data = data
        self._allow = tuple(allow)
        self._environments = environments
        self._starting = anyio.Lock()

    async def start(self) -> None:
        """Make sure that an engine runs. Raises Unavailable."""
        async with self._starting:
            if await anyio.to_thread.run_sync(_answers, self._data):
                return
            run = self._data / "run"
            if run.exists() and run.stat().st_uid != os.geteuid():
                raise Unavailable(
                    "The runtime engine of root is not running, and only root can start it: restart `collegium serve`."
                )
            log.info("engine.started")
            await anyio.to_thread.run_sync(
                lambda: start_engine(
                    self._data,
                    uid=os.geteuid(),
                    gid=os.getegid(),
                    environments=self._environments,
                    allow=self._allow,
                )
            )

    async def stop(self, *, runtimes: bool = True) -> None:
        """End the engine, if one runs; its runtimes go on without it unless told otherwise."""
        if await anyio.to_thread.run_sync(_answers, self._data):
            await self._ask("stop", runtimes=runtimes)

    # ── the port ───────────────────────────────────────────────────────────────────────────────────────────────

    async def status(self) -> dict[str, Any]:
        """What the engine says of itself and this machine."""
        boot = await anyio.to_thread.run_sync(BOOT_ID.read_text)
        return {"boot": boot.strip(), **await self._ask("status")}

    async def create(self, runtime: RuntimeId, wanted: Specification) -> Machine:
        """A ready runtime."""
        return _machine(await self._ask("create", runtime=runtime, **asdict(wanted)))

    async def list(self) -> list[Machine]:
        """All runtimes lent to somebody."""
        return [_machine(one) for one in (await self._ask("list"))["runtimes"]]

    async def get(self, runtime: RuntimeId) -> Machine:
        """One, with its usage."""
        return _machine(await self._ask("get", runtime=runtime))

    async def printed(self, runtime: RuntimeId, after: int) -> tuple[str, int]:
        """What its processes printed since."""
        told = await self._ask("printed", runtime=runtime, after=after)
        return str(told.get("text", "")), int(told.get("end", after))

    async def delete(self, runtime: RuntimeId) -> None:
        """End it."""
        await self._ask("delete", runtime=runtime)

    async def seal(self, runtime: RuntimeId, layer: str) -> str:
        """Keep what was installed in it, and end it."""
        return str((await self._ask("seal", runtime=runtime, layer=layer)).get("path"))

    async def drop_layer(self, layer: str) -> None:
        """Remove a layer."""
        await self._ask("drop_layer", layer=layer)

    async def keep_ready(self, stock: Sequence[tuple[Specification, int]]) -> None:
        """Set the pool."""
        await self._ask("pool", of=[asdict(wanted) | {"ready": count} for wanted, count in stock])

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to the agent of a runtime."""
        try:
            return await self._open(f"{runtime}.sock")
        except FileNotFoundError:
            raise NotFound(f"There is no runtime {runtime}.") from None
        except ConnectionRefusedError:
            await self.get(runtime)
            raise Unavailable(f"The runtime {runtime} does not answer.") from None

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Machine]]:
        """Changes, until the connection breaks."""
        async with self._connected() as (stream, reader):
            await stream.send(_frame({"id": 1, "op": "watch"}))
            await _receive(reader)
            yield _events(reader)

    # ── the line ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        with anyio.move_on_after(REQUEST_SECONDS_MAX):
            async with self._connected() as (stream, reader):
                await stream.send(_frame({"id": 1, "op": operation, **arguments}))
                answer = await _receive(reader)
            if "error" in answer:
                raise _error(answer["error"])
            ok = answer.get("ok")
            if not isinstance(ok, dict):
                raise Unavailable("The runtime engine answered something else.")
            return ok
        raise Unavailable("The runtime engine does not answer in time.")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[ByteStream, BufferedByteReceiveStream]]:
        try:
            stream = await self._open("runtimed.sock")
        except (FileNotFoundError, ConnectionRefusedError, PermissionError):
            await self.start()
            stream = await self._open("runtimed.sock")
        async with stream:
            try:
                yield stream, BufferedByteReceiveStream(stream)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                raise Unavailable("The runtime engine went away.") from error

    async def _open(self, name: str) -> ByteStream:
        """Connect by way of the folder's descriptor: a socket's address may be no longer than 107 bytes."""
        run = os.open(self._data / "run", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return await connect_unix(f"/proc/self/fd/{run}/{name}")
        finally:
            os.close(run)


def _frame(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return len(body).to_bytes(4, "big") + body


async def _receive(reader: BufferedByteReceiveStream) -> dict[str, Any]:
    try:
        length = int.from_bytes(await reader.receive_exactly(4), "big")
        if length > FRAME_BYTES_MAX:
            raise Unavailable("The runtime engine sent too much.")
        message = json.loads(await reader.receive_exactly(length))
    except (anyio.IncompleteRead, anyio.EndOfStream) as error:
        raise Unavailable("The runtime engine went away.") from error
    if not isinstance(message, dict):
        raise Unavailable("The runtime engine answered something else.")
    return message


async def _events(reader: BufferedByteReceiveStream) -> AsyncIterator[Machine]:
    while True:
        try:
            event = await _receive(reader)
        except Unavailable:
            return
        if event.get("event") == "runtime":
            yield _machine(event)


def _error(error: dict[str, Any]) -> CollegiumError:
    kinds: dict[str, type[CollegiumError]] = {"not_found": NotFound, "invalid": Invalid, "conflict": Conflict}
    return kinds.get(str(error.get("code")), Unavailable)(str(error.get("detail", ""))[:1000])


def _machine(value: dict[str, Any]) -> Machine:
    usage = value.get("usage")
    return Machine(
        id=RuntimeId(value["runtime"]),
        state=State(value["state"]),
        reason=value["reason"],
        limits=Limits(**value["limits"]),
        usage=Usage(**usage) if usage is not None else None,
    )
