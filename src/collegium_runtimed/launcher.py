"""The engine's end of the launcher: one process waits with all it needs imported, and forks one for each launch."""

import asyncio
import json
import socket
import sys
from contextlib import suppress
from pathlib import Path

from collegium_runtimed.plan import Plan, to_json

REQUEST_BYTES_MAX = 128 << 10
SOURCE = str(Path(__file__).resolve().parent.parent)
STARTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from collegium_runtimed.launch import serve; serve()"


class Launcher:
    """Started when it is first needed, and again when it ended."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._starting = asyncio.Lock()

    async def begin(self, plan: Plan) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Have a process see to this plan; the conversation with it. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            named = (plan.log_fd, plan.listen_fd, plan.net_fd, plan.user_fd, plan.zygote_fd)
            descriptors = [theirs.fileno(), *(fd for fd in named if fd is not None)]
            control = await self._running()
            socket.send_fds(control, [json.dumps(to_json(plan)).encode()], descriptors)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return await asyncio.open_unix_connection(sock=ours)

    async def _running(self) -> socket.socket:
        async with self._starting:
            if self._control is None or self._process is None or self._process.returncode is not None:
                await self.close()
                self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    self._process = await asyncio.create_subprocess_exec(
                        sys.executable, "-I", "-S", "-c", STARTER, SOURCE, str(theirs.fileno()),
                        stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True,
                        cwd="/", env={"LANG": "C.UTF-8"},
                    )  # fmt: skip
            return self._control

    async def close(self) -> None:
        """End it; what it launched goes on."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None
