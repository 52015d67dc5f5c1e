"""Networks of runtimes when something is killed: what lives on, what is mended, and that nothing is left."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from network_world import (
    ORDINARY_UID,
    PUBLIC,
    Driver,
    Guest,
    World,
    kill,
    little_internet,
    until,
    why_no_little_internet,
)

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all."""
    if why := why_no_little_internet():
        pytest.skip(why)
    with little_internet() as world:
        yield world


@pytest.fixture(params=["root", "ordinary"])
def mortal(request: pytest.FixtureRequest, world: World) -> Driver:
    """Networks of which something will be killed."""
    uid = 0 if request.param == "root" else ORDINARY_UID
    return Driver(world, uid, world.data(uid))


def until_reached(guest: Guest, code: str) -> None:
    until(lambda: guest.run(code).startswith("HTTP/1.1 200"), lambda: str(guest.run(code)))


def test_networks_outlive_the_engine_and_are_found_again(world: World, mortal: Driver) -> None:
    internet, packages = mortal.guest("i", "internet"), mortal.guest("p", "packages", "public.example")
    slirp = mortal.record("i")["pid"]
    kill(mortal.pid)
    mortal.end()
    assert internet.run(f"tcp('{PUBLIC}', 80)").startswith("HTTP/1.1 200")
    assert packages.run("connect('public.example', 80)").startswith("HTTP/1.1 200")

    after = Driver(world, mortal.uid, mortal.folder, ("i", "p"))

    assert after.record("i")["pid"] == slirp
    assert internet.run(f"tcp('{PUBLIC}', 80)").startswith("HTTP/1.1 200")
    assert packages.run("connect('public.example', 80)").startswith("HTTP/1.1 200")
    _finish(world, after, internet, packages)


def test_what_nobody_uses_any_more_is_ended_by_the_next_engine(world: World, mortal: Driver) -> None:
    mortal.make("i", "internet")
    mortal.make("p", "packages", "public.example")
    kill(mortal.pid)
    mortal.end()

    _finish(world, Driver(world, mortal.uid, mortal.folder))


def test_nothing_runs_for_networks_that_nobody_has(world: World, mortal: Driver) -> None:
    assert [line for line in world.processes() if "driver.py" not in line] == []
    _finish(world, mortal)


def test_a_killed_slirp_is_started_again(world: World, mortal: Driver) -> None:
    guest = mortal.guest("i", "internet")
    kill(mortal.record("i")["pid"])

    until_reached(guest, f"tcp('{PUBLIC}', 80)")
    assert guest.run("tcp('10.99.0.2', 80)").startswith("no: ")
    _finish(world, mortal, guest)


def test_what_is_removed_while_it_is_mended_is_gone(world: World, mortal: Driver) -> None:
    for number in range(4):
        guest = mortal.guest(f"i{number}", "internet")
        kill(mortal.record(f"i{number}")["pid"])
        mortal.remove(f"i{number}")
        guest.end()

    _finish(world, mortal)


@pytest.mark.long
def test_a_slirp_that_is_killed_again_and_again_is_started_again_and_again(world: World, mortal: Driver) -> None:
    guest = mortal.guest("i", "internet")
    for _ in range(4):
        before = mortal.record("i")["pid"]
        kill(before)
        until(lambda before=before: mortal.record("i")["pid"] != before)  # type: ignore[misc]

    until_reached(guest, f"tcp('{PUBLIC}', 80)")
    _finish(world, mortal, guest)


def test_a_killed_proxy_is_started_again(world: World, mortal: Driver) -> None:
    guests = [mortal.guest(f"p{number}", "packages", "public.example") for number in range(3)]
    kill(_proxy(world))

    for guest in guests:
        until_reached(guest, "connect('public.example', 80)")
        assert guest.run("connect('other.example', 80)").startswith("HTTP/1.1 403")
    _finish(world, mortal, *guests)


def test_when_all_of_it_is_killed_at_once_the_next_engine_mends_it(world: World, mortal: Driver) -> None:
    internet, packages = mortal.guest("i", "internet"), mortal.guest("p", "packages", "public.example")
    for pid in (mortal.pid, mortal.record("i")["pid"], _proxy(world)):
        kill(pid)
    mortal.end()

    after = Driver(world, mortal.uid, mortal.folder, ("i", "p"))

    until_reached(internet, f"tcp('{PUBLIC}', 80)")
    until_reached(packages, "connect('public.example', 80)")
    assert internet.run("tcp('10.99.0.2', 80)").startswith("no: ")
    _finish(world, after, internet, packages)


def test_records_of_another_boot_or_cut_off_are_cleared_away(world: World, mortal: Driver) -> None:
    mortal.make("i", "internet")
    old = mortal.record("i") | {"boot": "another", "slot": "old", "pid": 1}
    (mortal.folder / "old.slot").write_text(json.dumps(old))
    (mortal.folder / "torn.new").write_text('{"slot"')
    (mortal.folder / "half.slot").write_text('{"slot": "ha')
    (mortal.folder / "reused.slot").write_text(json.dumps(mortal.record("i") | {"slot": "reused", "pid": 1}))
    kill(mortal.pid)
    mortal.end()

    _finish(world, Driver(world, mortal.uid, mortal.folder))


@pytest.mark.long
def test_a_dozen_come_and_go_and_nothing_stays(world: World, mortal: Driver) -> None:
    for number in range(12):
        mode = ("internet", "packages")[number % 2]
        link = mortal.make(f"s{number}", mode, "public.example")
        mortal.ask({"op": "close", "descriptors": [one for one in (link["net"], link["user"]) if one is not None]})
        mortal.remove(f"s{number}")

    assert len(list(Path(f"/proc/{mortal.pid}/fd").iterdir())) < 30
    _finish(world, mortal)


def _proxy(world: World) -> int:
    (found,) = [line for line in world.processes() if "network_proxy" in line]
    return int(found.split()[0])


def _finish(world: World, driver: Driver, *guests: Guest) -> None:
    """The end of an engine and all its runtimes: no process and no record is left."""
    for guest in guests:
        guest.end()
    for path in driver.folder.glob("*.slot"):
        driver.remove(path.stem)
    assert [path.name for path in driver.folder.iterdir() if path.name != "proxy.sock"] == []
    driver.end()
    until(lambda: world.processes() == [], lambda: str(world.processes()))
