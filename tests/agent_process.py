"""A real agent with real kernels, as a plain process without a sandbox."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteStream

from collegium.ground.streams import connect_unix
from collegium.kernels.model import Frame, encode, parse
from collegium_agent.supervisor import OOM_SCORE
from support.environment import runtime_python
from support.template import Forked, template

SOURCES = Path(__file__).parent.parent / "src"


class AgentProcess:
    """PID 1 of a runtime, and the way to its agent."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None, forked: bool = False) -> None:
        self.folder = folder
        self.address = folder / "agent.sock"
        self.content = folder / "content"
        self.content.mkdir()
        self.streams: list[ByteStream] = []
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.address))
            listener.listen(16)
            words = ["--state", str(folder / "state"), "--cwd", str(self.content), *options]
            variables = {**os.environ, "PYTHONPATH": str(SOURCES), **(env or {})}
            with (folder / "log").open("wb") as log:
                self.process = self._start(words, variables, listener, log.fileno(), forked=forked)

    def _start(
        self, words: list[str], variables: dict[str, str], listener: socket.socket, log: int, *, forked: bool
    ) -> "subprocess.Popen[bytes] | Forked":
        if forked and template(runtime_python()).is_like(variables):
            return template(runtime_python()).fork(words, listener.fileno(), log, env=variables)
        number = listener.fileno()
        command = [str(runtime_python()), "-m", "collegium_agent", "--listen-fd", str(number), *words]
        return subprocess.Popen(command, pass_fds=(number,), env=variables, stderr=log)

    async def connect(self) -> ByteStream:
        """A stream to the agent."""
        stream = await connect_unix(self.address)
        self.streams.append(stream)
        return stream

    async def hang_up(self) -> None:
        """Close every stream that is still open."""
        for stream in self.streams:
            await stream.aclose()
        self.streams.clear()

    def kill_agent(self) -> None:
        """SIGKILL the agent; PID 1 starts another."""
        self._kill(lambda score: score != OOM_SCORE)

    def kill_kernel(self) -> None:
        """SIGKILL a kernel."""
        self._kill(lambda score: score == OOM_SCORE)

    def _kill(self, wanted: Callable[[str], bool]) -> None:
        # A fork has its template's command line; but who shall go first when memory runs out is said of kernels alone.
        scores = {pid: Path(f"/proc/{pid}/oom_score_adj").read_text().strip() for pid, _ in self.children()}
        os.kill(next(pid for pid, score in scores.items() if wanted(score)), signal.SIGKILL)

    def children(self) -> list[tuple[int, str]]:
        """Direct children of PID 1: pid and command line."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    command = (entry / "cmdline").read_text().replace("\0", " ")
                except OSError:
                    continue
                if parent == self.process.pid:
                    found.append((int(entry.name), command))
        return found

    def end(self) -> None:
        """Nothing of it is left."""
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def agent_process(*options: str, env: dict[str, str] | None = None, forked: bool = False) -> Iterator[AgentProcess]:
    """An agent in a short path (unix sockets have short names); as a fork of a template it starts in less time."""
    folder = Path(tempfile.mkdtemp(prefix="agent-", dir="/tmp"))
    agent = AgentProcess(folder, *options, env=env, forked=forked)
    try:
        yield agent
    finally:
        agent.end()
        shutil.rmtree(folder)


class AgentClient:
    """Speaks to an agent as the server does."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self._data = b""

    @classmethod
    async def open(cls, agent: AgentProcess, since: int = 0, epoch: str | None = None) -> "AgentClient":
        """Connected, the hello sent."""
        client = cls(await agent.connect())
        await client.send(op="hello", protocol=1, since=since, epoch=epoch)
        return client

    async def send(self, **header: Any) -> None:
        """One frame."""
        await self.stream.send(encode(header))

    async def next(self) -> Frame:
        """The next frame, parsed."""
        with anyio.fail_after(60):
            return parse(await self.body())

    async def body(self) -> bytes:
        """The next frame's body."""
        await self._fill(4)
        size = int.from_bytes(self._data[:4], "big")
        await self._fill(4 + size)
        body, self._data = self._data[4 : 4 + size], self._data[4 + size :]
        return body

    async def until(self, kind: type, **wanted: Any) -> Any:
        """The next frame of this kind with these fields; what comes before it is dropped."""
        while True:
            frame = await self.next()
            if isinstance(frame, kind) and all(getattr(frame, key) == value for key, value in wanted.items()):
                return frame

    async def _fill(self, size: int) -> None:
        while len(self._data) < size:
            self._data += await self.stream.receive(1 << 20)


def text_of(frames: list[Any]) -> str:
    """What was printed."""
    return "".join(f.content["text"] for f in frames if getattr(f, "msg_type", "") == "stream")


def dumps(value: Any) -> str:
    """JSON with sorted keys, to compare."""
    return json.dumps(value, sort_keys=True)
