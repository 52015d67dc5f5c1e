"""Keeps the networks of a data folder as an engine does, and does what it is told, line by line."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from collegium_runtimed import linux
from collegium_runtimed.network import Networks
from collegium_runtimed.plan import Network


async def main() -> None:
    """`FOLDER SLOT…`: opens with these slots; then one answer to each line."""
    linux.become_subreaper()
    # What outlives this process must not hold the pipe on which it answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    networks = Networks(Path(sys.argv[1]), root=os.geteuid() == 0)
    await networks.open(frozenset(sys.argv[2:]))
    keeping = asyncio.get_running_loop().create_task(networks.keep())
    print(
        json.dumps({"modes": sorted(networks.modes), "missing": networks.missing, "pid": os.getpid()}),
        file=answers,
        flush=True,
    )
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            print(json.dumps(await obey(networks, json.loads(line))), file=answers, flush=True)
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
    keeping.cancel()
    await networks.close()


async def obey(networks: Networks, order: dict[str, Any]) -> dict[str, Any]:
    match order["op"]:
        case "make":
            link = await networks.make(order["slot"], Network(order["mode"], tuple(order["allow"])))
            if link is None:
                return {}
            return {
                "net": link.net_fd,
                "user": link.user_fd,
                "resolv": link.resolv_conf,
                "variables": dict(link.variables),
            }
        case "close":
            for descriptor in order["descriptors"]:
                os.close(descriptor)
        case "remove":
            await networks.remove(order["slot"])
    return {}


asyncio.run(main())
