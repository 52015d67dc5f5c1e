"""The same inside a real sandbox: as root and as an ordinary user."""

import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import anyio
import pytest
from anyio.abc import ByteStream

from agent_process import AgentClient
from collegium.ground.errors import CollegiumError, Forbidden, NotFound, StorageFull, Unavailable
from collegium.ground.streams import connect_unix
from collegium.kernels.files import FilesClient
from collegium.kernels.listening import PortClient
from collegium.kernels.model import Message
from collegium.kernels.side import ask
from collegium.kernels.terminals import Output, TerminalClient, TerminalStream
from collegium.runtimes.model import Limits
from runtime_world import EngineProcess, engine_process
from runtimes.conftest import USERS, uid_of

pytestmark = [pytest.mark.anyio, pytest.mark.sandbox]

LIMITS = Limits(memory_bytes=1 << 30, cpus=2.0, processes=128, disk_bytes=128 << 20)


@dataclass
class Runtime:
    """The way to the agent of a sandbox."""

    engine: EngineProcess
    id: str

    async def road(self) -> ByteStream:
        return await connect_unix(str(self.engine.data / "run" / f"{self.id}.sock"))


@pytest.fixture(params=USERS, scope="module")
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with engine_process(uid_of(request.param)) as engine:
        engine.create("inside", LIMITS)
        yield Runtime(engine, "inside")


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def until(stream: TerminalStream, wanted: bytes) -> bytes:
    text = b""
    with anyio.fail_after(30):
        while wanted not in text:
            match await stream.receive():
                case Output(data=data):
                    text += data
                case ended:
                    raise AssertionError(f"{ended} after {text!r}")
    return text


async def test_files_are_the_runtimes_own(runtime: Runtime) -> None:
    files = FilesClient(runtime.road)
    await files.write("/content/a.txt", pieces(b"hello"))
    listed = [one.name for one in (await files.list("/content")).entries]
    for path in (str(runtime.engine.data), "/proc/1/root" + str(runtime.engine.data)):
        with pytest.raises((NotFound, Forbidden)):
            await files.list(path)
    with pytest.raises(CollegiumError):
        await files.write("/usr/bin/python3", pieces(b"x"))

    assert "a.txt" in listed
    assert [one for one in listed if one.endswith((".collegium-part", ".collegium-upload"))] == []


async def test_a_full_disk_is_said_to_be_full_and_forgets_nothing(runtime: Runtime) -> None:
    if not runtime.engine.ask("status")["disk_quota"]:
        pytest.skip("nothing limits the disk of a runtime here")
    files = FilesClient(runtime.road)
    total = 400 << 20

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield bytes(1 << 20)

    with pytest.raises(StorageFull):
        await files.upload("/content/big", endless(), offset=0, total=total)
    there = await files.received("/content/big", total=total)
    entries = (await files.list("/content")).entries
    await files.delete("/content/" + next(one.name for one in entries if one.name.endswith(".collegium-upload")))
    await files.write("/content/after", pieces(b"there is room again"))

    assert 0 < there.received < total


async def test_a_terminal_has_a_line_of_its_own_and_the_environments_programs(runtime: Runtime) -> None:
    terminals = TerminalClient(runtime.road)
    made = await terminals.create()
    async with terminals.attach(made.name) as stream:
        await stream.input("tty; cd /; cd -; python -c 'import sys; print(sys.prefix)'; sleep 100 & jobs; echo en''d\r")
        text = await until(stream, b"end\r")

        assert b"/dev/pts/" in text
        assert b"\r\n/content\r\n" in text
        assert str(runtime.engine.environment).encode() in text
        assert b"sleep 100 &" in text
        assert b"no job control" not in text
    await terminals.delete(made.name)


async def test_a_server_inside_is_reached_and_nothing_outside_is(runtime: Runtime) -> None:
    terminals, ports = TerminalClient(runtime.road), PortClient(runtime.road)
    made = await terminals.create()
    with socket.create_server(("127.0.0.1", 0)) as outside, pytest.raises(Unavailable):
        async with ports.open(outside.getsockname()[1]):
            pass
    async with terminals.attach(made.name) as stream:
        await stream.input("cd /content; echo from inside > index.html; exec python -m http.server 8765\r")
        await until(stream, b"Serving HTTP")
        found = await ports.list()
        async with ports.open(8765) as http:
            await http.send(b"GET /index.html HTTP/1.0\r\n\r\n")
            answer = b""
            while b"from inside" not in answer:
                answer += await http.receive()
    await terminals.delete(made.name)

    assert [(one.port, one.process) for one in found] == [(8765, "http.server")]


async def test_a_command_asks_and_is_interrupted(runtime: Runtime) -> None:
    client = AgentClient(await runtime.road())
    await client.send(op="hello", protocol=1, since=0, epoch=None)
    await client.send(op="start_kernel", kernel="k", name="python3", cwd="/content", env={})
    await client.send(op="execute", kernel="k", id="e1", code="!read -p 'Name: ' n; echo hello $n", allow_stdin=True)
    await client.until(Message, msg_type="input_request")
    await client.send(op="input_reply", kernel="k", parent="e1", value="Ada")
    text = ""
    while "hello Ada" not in text:
        text += (await client.until(Message, msg_type="stream")).content["text"]
    await client.send(op="execute", kernel="k", id="e2", code="!echo begun; sleep 1000")
    while "begun" not in text:
        text += (await client.until(Message, msg_type="stream")).content["text"]
    variables = await ask(runtime.road, {"op": "variables", "kernel": "k"})
    await client.send(op="interrupt", kernel="k")
    reply = await client.until(Message, msg_type="execute_reply", parent="e2")
    await client.stream.aclose()

    assert reply.content["ename"] == "KeyboardInterrupt"
    assert variables == {"variables": []}
