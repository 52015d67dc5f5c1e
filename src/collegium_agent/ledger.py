"""Which executions were ever asked for, and which are over: what makes asking twice harmless."""

import os
from pathlib import Path


class Ledger:
    """Written before the kernel is asked, so that a restarted agent knows it too."""

    def __init__(self, path: Path) -> None:
        self._open: dict[str, str] = {}
        self._known: set[str] = set()
        if path.exists():
            for line in path.read_text(errors="replace").splitlines():
                self._replay(line.split(" "))
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def open(self, kernel: str, execution: str) -> bool:
        """Whether this is the first time it is asked for."""
        if execution in self._known:
            return False
        self._write(f"+ {kernel} {execution}")
        self._known.add(execution)
        self._open[execution] = kernel
        return True

    def known(self, execution: str) -> bool:
        """Whether it was asked for here."""
        return execution in self._known

    def close(self, execution: str) -> None:
        """It is over."""
        if self._open.pop(execution, None) is not None:
            self._write(f"- {execution}")

    def close_all(self, kernel: str) -> None:
        """The process that ran them is gone."""
        for execution in self.unfinished(kernel):
            self.close(execution)

    def unfinished(self, kernel: str) -> list[str]:
        """Those whose reply has not come."""
        return [execution for execution, owner in self._open.items() if owner == kernel]

    def _write(self, line: str) -> None:
        os.write(self._fd, f"{line}\n".encode())

    def _replay(self, words: list[str]) -> None:
        match words:
            case ["+", kernel, execution]:
                self._known.add(execution)
                self._open[execution] = kernel
            case ["-", execution]:
                self._open.pop(execution, None)
            case _:
                return  # a torn last line: the kernel was not asked yet
