"""What a command of an open notebook is to do: where one stands before it, and what is seen after it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import expect

from support.commands import SOURCES, World, eventually

Step = Callable[[World], None]


@dataclass(frozen=True)
class Case:
    """Where one stands, and what is seen after the command.

    `runs`: a runtime is connected. `anew`: nothing is left on the page of the command before, such as its notice.
    `own`: it opens a notebook of its own.
    """

    see: Step
    before: Step = lambda world: world.focus("b")
    keys: str | None = None
    runs: bool = False
    anew: bool = False
    own: bool = False


def keep(world: World) -> None:
    """Nothing has to be so before."""


def shows(role: str, name: str, *, before: Step = keep, runs: bool = False) -> Case:
    """Something of this name comes, and was not there."""

    def see(world: World) -> None:
        expect(world.page.get_by_role(role, name=name, exact=True).first).to_be_visible()  # type: ignore[arg-type]

    return Case(see, before, runs=runs)


def dialog(name: str, *, before: Step = keep, role: str = "dialog", runs: bool = False) -> Case:
    return shows(role, name, before=before, runs=runs)


def order(*wanted: str, at: str = "b") -> Case:
    return Case(lambda world: eventually(world.order, list(wanted)), lambda world: world.focus(at))


def count(change: int, at: str = "b") -> Case:
    return Case(
        lambda world: eventually(lambda: len(world.order()), len(SOURCES) + change), lambda world: world.focus(at)
    )


def kind(wanted: str, at: str) -> Case:
    return Case(lambda world: eventually(lambda: world.kind(at), wanted), lambda world: world.focus(at))


def says(cell: str, wanted: str, *, before: Step | None = None) -> Case:
    return Case(lambda world: eventually(lambda: world.text(cell), wanted), before or (lambda world: world.write(cell)))


def told(words: str, *, before: Step = lambda world: world.focus("b"), runs: bool = False, own: bool = False) -> Case:
    def see(world: World) -> None:
        expect(world.page.get_by_text(words).first).to_be_visible()

    return Case(see, before, runs=runs, anew=True, own=own)


def address(pattern: str, before: Step = keep) -> Case:
    return Case(lambda world: world.page.wait_for_url(re.compile(pattern)), before)


def at(cell: str, start: str) -> Case:
    return Case(lambda world: eventually(world.focused, cell), lambda world: world.focus(start))


def downloads(pattern: str, *, before: Step = keep, runs: bool = False, own: bool = False) -> Case:
    """The command ends with a file of this name."""

    def see(world: World) -> None:
        eventually(lambda: re.fullmatch(pattern, world.downloaded()) is not None, True)

    return Case(see, before, runs=runs, own=own)


def marks(command: str, *, before: Step = keep, own: bool = False) -> Case:
    """The command is a tick box, and turns."""

    def see(world: World) -> None:
        eventually(lambda: world.checked(command), not world.was_checked)

    def first(world: World) -> None:
        before(world)
        world.was_checked = world.checked(command)

    return Case(see, first, own=own)


def formats(wanted: str) -> Case:
    """What it makes of the words of a text cell that are selected."""

    def before(world: World) -> None:
        world.write("t")
        world.page.keyboard.press("Control+a")

    return Case(lambda world: eventually(lambda: re.fullmatch(wanted, world.text("t")) is not None, True), before)


def lines(wanted: str, keys: str | None = None) -> Case:
    """What it makes of the code "x = 1", "print(x)" with the cursor at its end."""
    return Case(lambda world: eventually(lambda: world.text("a"), wanted), lambda world: world.write("a"), keys=keys)


def types(keys: str, wanted: str, before: Step = lambda world: world.write("a")) -> Case:
    """What is written once it has moved or selected."""

    def see(world: World) -> None:
        world.page.keyboard.type("!")
        eventually(lambda: world.text("a"), wanted)

    return Case(see, before, keys=keys)


def ran(*cells: str, at: str = "b") -> Case:
    """These cells, and no others, run anew."""

    def before(world: World) -> None:
        world.focus(at)
        world.runs = world.executions()

    def see(world: World) -> None:
        eventually(
            lambda: {cell for cell, run in world.executions().items() if run != world.runs.get(cell)}, set(cells)
        )

    return Case(see, before, runs=True)


def status(pattern: str, before: Step = keep, runs: bool = True) -> Case:
    return Case(
        lambda world: expect(world.page.get_by_role("status", name="Runtime status")).to_have_text(re.compile(pattern)),
        before,
        runs=runs,
    )


def pasted(world: World) -> None:
    world.focus("b")
    world.by_palette("copy")
    expect(world.page.get_by_text("Cell copied").first).to_be_visible()
    world.focus("c")


def changed_cells(world: World) -> None:
    world.focus("b")
    world.by_palette("duplicate")
    eventually(lambda: len(world.order()), len(SOURCES) + 1)


def undone(world: World) -> None:
    changed_cells(world)
    world.by_palette("undo")
    eventually(lambda: len(world.order()), len(SOURCES))


def finding(world: World) -> None:
    world.page.keyboard.press("Control+f")
    world.page.get_by_role("textbox", name="Find", exact=True).fill("x")
    expect(world.page.get_by_role("status", name="Found")).to_contain_text("of")
