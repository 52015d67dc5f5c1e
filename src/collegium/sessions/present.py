"""What the page and the API see of executions, runtimes and kernels (docs/reference/protocol.md)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from collegium.ground import reasons
from collegium.ground.ids import RuntimeId
from collegium.sessions.folding import Output
from collegium.sessions.model import Execution, Kernel, Machine, Replaced, Use, Variable


def execution_frame(
    execution: Execution, outputs: list[Output] | None = None, version: int | None = None
) -> dict[str, Any]:
    """EXECUTION."""
    frame: dict[str, Any] = {
        "execution": execution.id,
        "cell": execution.cell,
        "state": str(execution.state),
        "user": {"id": execution.user, "name": execution.user_name},
        "count": execution.count,
        "queued_at": execution.queued_at,
        "started_at": execution.started_at,
        "finished_at": execution.finished_at,
    }
    if execution.source_hash:
        frame["hash"] = execution.source_hash
    frame |= reasons.told(execution.reason)
    if execution.input is not None:
        frame["input"] = {"prompt": execution.input["prompt"], "password": execution.input["password"]}
    if outputs is not None:
        frame |= {"outputs": outputs, "version": version or 0}
    if execution.saved:
        frame["saved"] = True
    return frame


def runtime_frame(machine: Machine | None) -> dict[str, Any] | None:
    """RUNTIME."""
    if machine is None:
        return None
    frame = {
        "id": machine.id,
        "state": machine.state,
        "type": machine.type,
        "version": machine.version,
        "label": machine.label or machine.type,
        "limits": {"memory_bytes": machine.memory_bytes, "cpus": machine.cpus, "disk_bytes": machine.disk_bytes},
        "network": machine.network,
        "accelerator": machine.accelerator,
        "notice": machine.notice,
        "queue": machine.queue,
        "progress": machine.progress,
        "progress_why": reasons.why(machine.progress),
        "notes": list(machine.notes),
        "notes_why": [reasons.why(note) for note in machine.notes],
    }
    return frame | reasons.told(machine.reason)


def kernel_frame(kernel: Kernel | None, state: str, reason: str | None) -> dict[str, Any] | None:
    """KERNEL."""
    if kernel is None:
        return None
    frame = {"id": kernel.id, "state": state, "name": kernel.name, "language": kernel.language}
    return frame | reasons.told(reason)


def usage_frame(runtime: RuntimeId, use: Use) -> dict[str, Any]:
    """What a runtime uses now."""
    shown = {key: value for key, value in asdict(use).items() if key not in ("memory_peak_bytes", "oom_kills")}
    return {"type": "usage", "runtime": runtime, **shown}


def warning_frame(use: Use, variables: Sequence[Variable]) -> dict[str, Any]:
    """The memory ends, and what holds most of it."""
    return {
        "type": "memory_warning",
        "memory_bytes": use.memory_bytes,
        "memory_limit_bytes": use.memory_limit_bytes,
        "variables": [asdict(variable) for variable in variables],
    }


def packages_frame(changed: Sequence[Replaced]) -> dict[str, Any]:
    """Packages that the kernel has imported are others now."""
    shown = [{"name": one.name, "from": one.before, "to": one.now} for one in changed]
    return {"type": "packages", "changed": shown}
