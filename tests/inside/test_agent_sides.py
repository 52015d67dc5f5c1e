"""Files, terminals and ports of a runtime, through a real agent that is a plain process."""

import contextlib
import http.server
import os
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream

from agent_process import AgentProcess, agent_process
from collegium.ground.errors import CollegiumError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from collegium.kernels.files import FilesClient
from collegium.kernels.listening import PortClient
from collegium.kernels.side import Side, ask, beside
from collegium.kernels.terminals import Exited, Output, TerminalClient, TerminalStream

pytestmark = pytest.mark.anyio

NO_HOME = {"HOME": "/nonexistent"}
"""What whoever runs the tests has in the profile of their shell does not matter."""


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with agent_process(env=NO_HOME) as agent:
        yield agent


@pytest.fixture
def folder(agent: AgentProcess, request: pytest.FixtureRequest) -> Path:
    path = agent.content / f"{abs(hash(request.node.name))}"
    path.mkdir()
    return path


@pytest.fixture
def files(agent: AgentProcess) -> FilesClient:
    return FilesClient(agent.connect)


@pytest.fixture
def terminals(agent: AgentProcess) -> TerminalClient:
    return TerminalClient(agent.connect)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def content(files: FilesClient, path: Path, start: int = 0, stop: int | None = None) -> bytes:
    async with files.open(str(path)) as opened:
        return b"".join([piece async for piece in opened.pieces(start, opened.file.size if stop is None else stop)])


async def test_a_directory_is_listed_by_name_with_what_its_links_lead_to(files: FilesClient, folder: Path) -> None:
    (folder / "b.txt").write_text("hello")
    (folder / "a").mkdir()
    (folder / "c").symlink_to("a")
    (folder / "d").symlink_to("nowhere")
    os.mkfifo(folder / "e")

    found = await files.list(str(folder))

    assert [(one.name, one.kind) for one in found.entries] == [
        ("a", "directory"),
        ("b.txt", "file"),
        ("c", "directory"),
        ("d", "link"),
        ("e", "other"),
    ]
    assert found.entries[1].size == 5
    assert not found.truncated


async def test_a_huge_directory_is_listed_in_part(files: FilesClient, folder: Path) -> None:
    for number in range(10_050):
        (folder / f"{number:05}").touch()

    found = await files.list(str(folder))

    assert found.truncated
    assert [found.entries[0].name, found.entries[-1].name] == ["00000", "09999"]


async def test_names_that_are_no_text_are_shown_and_harm_nobody(files: FilesClient, folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9")).touch()

    assert [one.name for one in (await files.list(str(folder))).entries] == ["caf\ufffd"]


async def test_a_file_is_written_in_one_step_and_keeps_its_mode(files: FilesClient, folder: Path) -> None:
    path = folder / "script.sh"
    path.write_text("old")
    path.chmod(0o750)

    await files.write(str(path), pieces(b"new ", b"text"))

    assert path.read_text() == "new text"
    assert path.stat().st_mode & 0o777 == 0o750
    assert [one.name for one in folder.iterdir()] == ["script.sh"]


async def test_a_link_that_is_written_stays_a_link(files: FilesClient, folder: Path) -> None:
    (folder / "real").write_text("old")
    (folder / "link").symlink_to("real")

    await files.write(str(folder / "link"), pieces(b"new"))

    assert (folder / "real").read_text() == "new"
    assert (folder / "link").is_symlink()


async def test_a_file_that_changed_meanwhile_is_not_overwritten(files: FilesClient, folder: Path) -> None:
    path = folder / "a.txt"
    first = await files.write(str(path), pieces(b"one"))
    second = await files.write(str(path), pieces(b"second"), tag=first.tag)

    with pytest.raises(Conflict):
        await files.write(str(path), pieces(b"third"), tag=first.tag)
    with pytest.raises(Conflict):
        await files.write(str(folder / "none"), pieces(b"x"), tag=first.tag)

    assert path.read_bytes() == b"second"
    assert second.tag != first.tag


async def test_a_part_of_a_file_is_read(files: FilesClient, folder: Path) -> None:
    data = os.urandom(1_000_000)
    (folder / "data").write_bytes(data)

    assert await content(files, folder / "data", 300_000, 900_001) == data[300_000:900_001]
    assert await content(files, folder / "data") == data


async def test_a_file_that_becomes_shorter_while_it_is_read_is_said_to(files: FilesClient, folder: Path) -> None:
    (folder / "data").write_bytes(bytes(10))

    with pytest.raises(Unavailable):
        await content(files, folder / "data", 0, 100)


async def test_an_upload_goes_on_where_it_broke_off(files: FilesClient, folder: Path) -> None:
    path, data = str(folder / "big.bin"), os.urandom(3_000_000)

    async def breaks() -> AsyncIterator[bytes]:
        yield data[:1_000_000]
        yield data[1_000_000:1_500_000]
        raise ConnectionResetError

    with pytest.raises((Unavailable, OSError)):
        await files.upload(path, breaks(), offset=0, total=len(data))
    assert not (folder / "big.bin").exists()
    there = await files.received(path)
    while there.received < 1_500_000:  # what was sent is still being written
        there = await files.received(path)
    assert (there.received, there.total) == (1_500_000, len(data))
    with pytest.raises(Conflict) as gap:
        await files.upload(path, pieces(b"x"), offset=5, total=len(data))
    assert gap.value.extra == {"received": 1_500_000}
    done = await files.upload(path, pieces(data[1_500_000:]), offset=1_500_000, total=len(data))

    assert (done.received, done.total) == (len(data), len(data))
    assert (folder / "big.bin").read_bytes() == data
    assert [one.name for one in folder.iterdir()] == ["big.bin"]
    assert (await files.received(path)).received == 0


async def test_an_upload_outlives_the_agent_that_took_it() -> None:
    data = os.urandom(4_000_000)
    with agent_process(env=NO_HOME) as agent:
        files, path = FilesClient(agent.connect), agent.content / "kept.bin"

        async def killing() -> AsyncIterator[bytes]:
            yield data[:1_000_000]
            agent.kill_agent()
            yield data[1_000_000:2_000_000]

        with pytest.raises(Unavailable):
            await files.upload(str(path), killing(), offset=0, total=len(data))
        with anyio.fail_after(20):
            while True:
                try:
                    there = await files.received(str(path))
                    break
                except Unavailable:
                    await anyio.sleep(0.01)
        await files.upload(str(path), pieces(data[there.received :]), offset=there.received, total=len(data))

        assert there.received <= 2_000_000
        assert path.read_bytes() == data


async def test_another_file_of_the_same_name_does_not_continue_an_upload(files: FilesClient, folder: Path) -> None:
    path = str(folder / "a.bin")
    await files.upload(path, pieces(b"old "), offset=0, total=8, mark="monday")

    assert (await files.received(path, total=8, mark="tuesday")).received == 0
    with pytest.raises(Conflict):
        await files.upload(path, pieces(b"new!"), offset=4, total=8, mark="tuesday")


async def test_more_than_was_announced_is_refused(files: FilesClient, folder: Path) -> None:
    with pytest.raises(Invalid):
        await files.upload(str(folder / "a"), pieces(b"12345"), offset=0, total=4)

    assert not (folder / "a").exists()


async def test_an_empty_file_can_be_uploaded(files: FilesClient, folder: Path) -> None:
    await files.upload(str(folder / "empty"), pieces(), offset=0, total=0)

    assert (folder / "empty").read_bytes() == b""


async def test_nothing_is_moved_or_made_over_something(files: FilesClient, folder: Path) -> None:
    await files.create(str(folder / "a"), "file")
    await files.create(str(folder / "b"), "directory")
    await files.rename(str(folder / "a"), str(folder / "b/c"))
    for path, kind in (("b", "directory"), ("b", "file")):
        with pytest.raises(Conflict):
            await files.create(str(folder / path), kind)  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        await files.rename(str(folder / "b/c"), str(folder / "b"))
    await files.delete(str(folder / "b"))

    assert list(folder.iterdir()) == []


async def test_deleting_a_link_leaves_what_it_leads_to(files: FilesClient, folder: Path) -> None:
    (folder / "kept").mkdir()
    (folder / "kept/file").touch()
    (folder / "link").symlink_to("kept")

    await files.delete(str(folder / "link"))

    assert (folder / "kept/file").exists()
    assert not (folder / "link").is_symlink()


BAD_PATHS = ["", "relative", "/a\0b", "/" + "x" * 5000, "/\ud800"]


@pytest.mark.parametrize("path", BAD_PATHS, ids=ascii)
async def test_a_path_that_is_none_is_refused(files: FilesClient, agent: AgentProcess, path: str) -> None:
    with pytest.raises(Invalid):
        await files.list(path)
    with pytest.raises((Invalid, Unavailable)):
        await ask(agent.connect, {"op": "files_list", "path": path})  # the agent itself does not believe its server


async def test_what_is_no_file_is_not_waited_for(files: FilesClient, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "directory").mkdir()
    for path in (str(folder / "pipe"), str(folder / "directory"), "/dev/zero", "/dev/tty"):
        with pytest.raises((Invalid, NotFound)):
            async with files.open(path):
                pass
    for path in (str(folder / "pipe"), str(folder / "directory")):
        with pytest.raises(Invalid):
            await files.write(path, pieces(b"x"))


async def test_the_root_and_the_home_of_notebooks_stay(files: FilesClient) -> None:
    for path in ("/", "//", "/content", "/content/", "/content/../content"):
        with pytest.raises((Forbidden, NotFound)):
            await files.delete(path)


async def test_missing_things_are_not_found(files: FilesClient, folder: Path) -> None:
    path = str(folder / "none")
    with pytest.raises(NotFound):
        await files.list(path)
    with pytest.raises(NotFound):
        await files.delete(path)
    with pytest.raises(NotFound):
        await files.write(path + "/file", pieces(b"x"))


# terminals


class Screen:
    """What a terminal printed."""

    def __init__(self, stream: TerminalStream) -> None:
        self.stream, self.text, self.end = stream, b"", 0
        self.exited: Exited | None = None

    async def until(self, wanted: bytes) -> None:
        with anyio.fail_after(20):
            while wanted not in self.text and self.exited is None:
                await self.step()
        assert wanted in self.text

    async def until_pid(self) -> int:
        """After `echo pid $$.`, however it was typed."""
        with anyio.fail_after(20):
            while (found := re.search(rb"pid ([0-9]+)\.\r\n", self.text)) is None:
                await self.step()
        return int(found[1])

    async def until_exited(self) -> int | None:
        with anyio.fail_after(20):
            while self.exited is None:
                await self.step()
        return self.exited.code

    async def step(self) -> None:
        match await self.stream.receive():
            case Output(offset=offset, data=data):
                self.text += data
                self.end = offset + len(data)
            case Exited() as exited:
                self.exited = exited


async def test_a_terminal_answers_and_ends_with_its_code(terminals: TerminalClient, agent: AgentProcess) -> None:
    made = await terminals.create()
    async with terminals.attach(made.name) as stream:
        screen = Screen(stream)
        await stream.input("echo $((6*7)) $TERM $PWD $(tty)\r")
        await screen.until(f"42 xterm-256color {agent.content} /dev/pts/".encode())
        assert made.name in [one.name for one in await terminals.list()]
        await stream.input("exit 3\r")

        assert await screen.until_exited() == 3
    assert made.name not in [one.name for one in await terminals.list()]
    with pytest.raises(NotFound):
        async with terminals.attach(made.name):
            pass


async def test_what_was_printed_is_there_for_whoever_comes_later(terminals: TerminalClient) -> None:
    made = await terminals.create()
    async with terminals.attach(made.name) as stream:
        screen = Screen(stream)
        await stream.input("echo fir''st\r")
        await screen.until(b"first")
        seen = screen.end
    async with terminals.attach(made.name, since=seen) as stream, terminals.attach(made.name) as other:
        screen, second = Screen(stream), Screen(other)
        await stream.input("echo sec''ond\r")
        await screen.until(b"second")
        await second.until(b"second")

        assert b"first" not in screen.text
        assert b"first" in second.text
    await terminals.delete(made.name)


async def test_the_window_has_the_size_and_title_it_is_given(terminals: TerminalClient) -> None:
    made = await terminals.create()
    async with terminals.attach(made.name) as stream:
        screen = Screen(stream)
        await stream.resize(43, 131)
        await stream.input("stty size; printf '\\033]0;my %s\\007done\\n' title\r")
        await screen.until(b"43 131")
        await screen.until(b"done\r")

        assert [one.title for one in await terminals.list() if one.name == made.name] == ["my title"]
    await terminals.delete(made.name)


async def test_ctrl_c_reaches_what_runs(terminals: TerminalClient) -> None:
    made = await terminals.create()
    async with terminals.attach(made.name) as stream:
        screen = Screen(stream)
        await stream.input("trap 'echo caught' INT; echo rea''dy; sleep 1000\r")
        await screen.until(b"ready")
        await stream.input("\x03")
        await screen.until(b"caught")
    await terminals.delete(made.name)


async def test_a_deleted_terminal_takes_what_ran_in_it_along(terminals: TerminalClient) -> None:
    made = await terminals.create()
    async with terminals.attach(made.name) as stream:
        screen = Screen(stream)
        await stream.input("bash -c 'trap \"\" HUP; echo pid $$.; sleep 1000'\r")
        pid = await screen.until_pid()
        await terminals.delete(made.name)

        assert await screen.until_exited() is None
    with anyio.fail_after(60):
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1][:3]:
            await anyio.sleep(0.01)


async def test_a_flood_that_nobody_reads_costs_one_scrollback(terminals: TerminalClient) -> None:
    made = await terminals.create()
    async with terminals.attach(made.name) as stream:
        await stream.input("yes 0123456789; echo\r")
        async with terminals.attach(made.name) as other:
            screen = Screen(other)
            with anyio.fail_after(30):
                while screen.end < 5_000_000:
                    await screen.step()
    with anyio.fail_after(60):
        assert made.name in [one.name for one in await terminals.list()]
    async with terminals.attach(made.name) as stream:
        first = await stream.receive()
        assert isinstance(first, Output)
        assert first.offset > 1_000_000  # the oldest is no longer kept
        await stream.input("\x03")
    await terminals.delete(made.name)


async def test_more_terminals_than_there_may_be_are_refused(terminals: TerminalClient) -> None:
    for number in range(16 - len(await terminals.list())):
        await terminals.create(name=f"t{number}")
    with pytest.raises(Invalid):
        await terminals.create()
    for one in await terminals.list():
        await terminals.delete(one.name)
    with anyio.fail_after(60):
        while await terminals.list():
            await anyio.sleep(0.01)


async def test_a_killed_agent_ends_its_terminals_and_the_next_one_serves() -> None:
    with agent_process(env=NO_HOME) as agent:
        terminals = TerminalClient(agent.connect)
        made = await terminals.create()
        async with contextlib.AsyncExitStack() as stack:
            stream = await stack.enter_async_context(terminals.attach(made.name))
            screen = Screen(stream)
            await stream.input("echo pi''d $$.\r")
            pid = await screen.until_pid()
            agent.kill_agent()
            with pytest.raises(Unavailable):
                await screen.until(b"never")
        with anyio.fail_after(60):
            while True:
                with contextlib.suppress(CollegiumError):
                    assert await terminals.list() == []
                    break
                await anyio.sleep(0.01)
            while Path(f"/proc/{pid}").exists():
                await anyio.sleep(0.01)


# ports


@contextlib.contextmanager
def little_server() -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from inside")

        def log_message(self, *_: object) -> None:
            return None

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


async def test_a_port_is_found_and_opened(agent: AgentProcess) -> None:
    ports = PortClient(agent.connect)
    with little_server() as port:
        assert port in [one.port for one in await ports.list()]
        async with ports.open(port) as stream:
            await stream.send(b"GET / HTTP/1.0\r\n\r\n")
            answer = await all_of(stream)

    assert answer.endswith(b"hello from inside")
    with pytest.raises(Unavailable):
        async with ports.open(port):
            pass


async def all_of(stream: ByteStream) -> bytes:
    data = b""
    with contextlib.suppress(anyio.EndOfStream):
        while True:
            data += await stream.receive()
    return data


async def test_an_idle_stream_is_closed_inside_when_the_server_hangs_up(agent: AgentProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with PortClient(agent.connect).open(listener.getsockname()[1]):
            connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)

            assert await anyio.to_thread.run_sync(connection.recv, 1) == b""


# what no server would send


GARBAGE = [
    {"ask": {}},
    {"ask": {"op": "files_list"}},
    {"ask": {"op": "files_list", "path": 5}},
    {"ask": {"op": "no_such"}},
    {"ask": {"op": "terminals_create", "name": "../x"}},
    {"ask": {"op": "variables", "kernel": "none"}},
    {"read": "relative"},
    {"write": 5},
    {"write": "/tmp/x", "offset": "x", "total": []},
    {"write": "/tmp/x", "offset": 9, "total": 3},
    {"terminal": "none"},
    {"terminal": {}},
    {"port": 0},
    {"port": "80"},
    {"port": 10**9},
    {"terminal": "none", "since": float("inf")},
    {"write": "/tmp/x", "offset": float("inf"), "total": 1},
    {"ask": {"op": "files_received", "path": "/tmp/none/x", "total": float("inf"), "mark": []}},
    {"ask": {"op": "changed_imports", "kernel": {"a": [1]}}},
    {},
]


@pytest.mark.parametrize("purpose", GARBAGE, ids=str)
async def test_nonsense_is_refused(agent: AgentProcess, purpose: dict[str, object]) -> None:
    with pytest.raises(CollegiumError):
        async with beside(agent.connect, purpose) as side:
            await side.frame()


async def until_refused(side: Side) -> None:
    while True:
        await side.frame()


async def test_frames_out_of_place_end_their_connection_alone(agent: AgentProcess, files: FilesClient) -> None:
    made = await TerminalClient(agent.connect).create()
    async with beside(agent.connect, {"terminal": made.name}) as side:
        await side.send_frame({"op": "resize", "rows": "x", "cols": None})
        await side.frame()
        with pytest.raises(CollegiumError):
            await until_refused(side)
    async with beside(agent.connect, {"terminal": made.name}) as side:
        for rows in range(2000):
            await side.send_frame({"op": "resize", "rows": rows % 300, "cols": -rows})
        await side.send(b"\xff" * 64)
        with contextlib.suppress(anyio.EndOfStream, Unavailable, CollegiumError):
            while True:
                await side.frame()

    assert made.name in [one.name for one in await TerminalClient(agent.connect).list()]
    await TerminalClient(agent.connect).delete(made.name)


async def test_a_thousand_connections_leave_room_for_the_journal(agent: AgentProcess, files: FilesClient) -> None:
    streams = []
    async with contextlib.AsyncExitStack() as stack:
        made = await TerminalClient(agent.connect).create()
        for _ in range(300):
            with contextlib.suppress(OSError, Unavailable):
                side = await stack.enter_async_context(beside(agent.connect, {"terminal": made.name}))
                streams.append(side)
        answered = 0
        for side in streams:
            with contextlib.suppress(Unavailable, anyio.EndOfStream, OSError, anyio.BrokenResourceError):
                await side.frame()
                answered += 1
        assert 100 < answered <= 192
    assert (await files.list("/")).entries
    await TerminalClient(agent.connect).delete(made.name)
