"""The command of a runtime: PID 1, and the agent that PID 1 starts."""

import argparse
import sys
from pathlib import Path

JOURNAL_BYTES = 256 * 1024 * 1024


def main() -> int:
    """`python -m collegium_agent --listen-fd 3 --state DIR`: be PID 1 of a runtime."""
    parser = argparse.ArgumentParser(prog="collegium_agent", description="The inside of a Collegium runtime.")
    parser.add_argument("--listen-fd", type=int, required=True, help="a listening stream socket, for the server")
    parser.add_argument("--state", type=Path, required=True, help="a folder of this runtime's own; a short path")
    parser.add_argument("--warm", metavar="KERNEL", help="start this kernel before anybody asks for it")
    parser.add_argument("--cwd", default="/content", help="where kernels start")
    parser.add_argument("--journal-bytes", type=int, default=JOURNAL_BYTES, help="beyond it, kernels wait")
    parser.add_argument("--supervisor-fd", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if options.supervisor_fd is not None:
        from collegium_agent import agent

        agent.main(
            options.listen_fd,
            options.supervisor_fd,
            options.state,
            warm=options.warm,
            cwd=options.cwd,
            journal_bytes=options.journal_bytes,
        )
        return 1
    from collegium_agent.supervisor import Supervisor

    argv = [sys.executable, "-m", "collegium_agent", *sys.argv[1:]]
    return Supervisor(argv, options.listen_fd).run()


if __name__ == "__main__":
    sys.exit(main())
