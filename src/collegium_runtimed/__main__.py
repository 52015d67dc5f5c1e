"""`python -m collegium_runtimed`: the local engine's process, and above it a keeper that starts it again."""

import argparse
import asyncio
import fcntl
import os
import signal
import sys
import time
from pathlib import Path

from collegium_runtimed import linux
from collegium_runtimed.engine import Engine, Options
from collegium_runtimed.pool import REFILL_SECONDS, Pool
from collegium_runtimed.server import Server

LOCK = "runtimed.lock"
ALREADY_RUNNING = 75
RESTART_SECONDS = 0.1
LINGER_CHECK_SECONDS = 5.0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="collegium_runtimed", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder; one engine serves one of them")
    parser.add_argument("--user", required=True, help="UID:GID of the server, which may connect")
    parser.add_argument("--environments", type=Path, action="append", help="folders that hold environments")
    parser.add_argument("--agent", type=Path, help="the folder that holds the package collegium_agent")
    parser.add_argument("--allow", action="append", default=[], help="devices and paths runtimes may be given: pattern")
    parser.add_argument("--refill", type=float, default=REFILL_SECONDS, help="seconds from a hand-out to its refill")
    parser.add_argument("--linger", type=float, default=600.0, help="seconds to stay once nobody needs the engine")
    parser.add_argument("--background", action="store_true", help="return at once and go on without a parent")
    return parser.parse_args()


def main() -> None:
    """Keep one engine running for a data folder; exit with 75 if another does."""
    options = arguments()
    # These two stay as Python wants them: what cannot be written is an exception.
    linux.reset_signals(signal.SIGPIPE, signal.SIGXFSZ)
    data = options.data.resolve()
    (data / "run").mkdir(parents=True, exist_ok=True)
    # Inherited by the engine: the lock is held for as long as either of the two lives.
    lock = os.open(data / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(ALREADY_RUNNING)
    if options.background:
        if os.fork():
            os._exit(0)
        os.setsid()
    # Runtimes whose engine was killed become the keeper's children, so that somebody waits for them.
    linux.become_subreaper()
    while True:
        child = os.fork()
        if child == 0:
            asyncio.run(serve(options, data))
            sys.exit(0)
        status = _wait(child)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            return
        print(f"the engine ended with status {os.waitstatus_to_exitcode(status)}; starting it again", flush=True)
        time.sleep(RESTART_SECONDS)


def _wait(child: int) -> int:
    """Wait for the engine, and pass on what it is told to do."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: os.kill(child, got))
    ended = status = 0
    while ended != child:
        ended, status = os.waitpid(-1, 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    return status


async def serve(options: argparse.Namespace, data: Path) -> None:
    """Run the engine until it is told to stop. Runtimes that somebody has go on without it."""
    linux.become_subreaper()
    os.umask(0o077)
    uid, _, gid = options.user.partition(":")
    environments = tuple(folder.resolve() for folder in options.environments or [data / "environments"])
    agent = (options.agent or Path(__file__).parent.parent).resolve()
    async with asyncio.TaskGroup() as tasks:
        engine = Engine(Options(data, int(uid), int(gid), environments, agent, tuple(options.allow)), tasks)
        pool = Pool(engine, refill_seconds=options.refill)
        server = Server(engine, pool)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stopping.set)
        await engine.open()
        pool.adopt()
        kept = [tasks.create_task(pool.keep()), tasks.create_task(_leave_when_idle(server, engine, options.linger))]
        kept += [tasks.create_task(engine.networks.keep()), tasks.create_task(pool.shed())]
        listening = await server.listen()
        print(f"engine {os.getpid()} serves {data}", flush=True)
        await server.stopping.wait()
        listening.close()
        server.hang_up()
        for task in kept:
            task.cancel()
        # One of them may be making a runtime: it is cleaned away while we still see its processes end.
        await asyncio.wait(kept)
        for record in pool.waiting():
            await engine.discard(record)
        await engine.zygotes.close()
        await engine.networks.close()
        await engine.close()


async def _leave_when_idle(server: Server, engine: Engine, linger_seconds: float) -> None:
    """Without a server for a while nobody needs the pool, and without lent runtimes nobody needs the engine."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(min(LINGER_CHECK_SECONDS, linger_seconds))
        lent = any(record.runtime is not None for record in engine.records.values())
        if not lent and server.connections == 0 and loop.time() - server.last_seen > linger_seconds:
            server.stopping.set()


if __name__ == "__main__":
    main()
