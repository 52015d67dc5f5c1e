"""The types of runtimes on a machine: what can be had, why not, and what an engine is asked for."""

import pytest
from pydantic import ValidationError

from collegium.runtimes.model import Network, Specification, Unit
from collegium.runtimes.offers import (
    Abilities,
    Offer,
    abilities,
    known_accelerators,
    make_offer,
    may_be_given,
    specification,
)
from collegium.runtimes.settings import GIB, Accelerator, AcceleratorUnit, RuntimesSettings, RuntimeType, default_types

ALL = frozenset({"none", "packages", "internet"})
CARDS = Accelerator(
    kind="gpu",
    label="NVIDIA T4",
    units=(
        AcceleratorUnit(devices=("/dev/nvidia0",), variables={"CUDA_VISIBLE_DEVICES": "0"}),
        AcceleratorUnit(devices=("/dev/nvidia1",), binds=("/opt/second",)),
    ),
    devices=("/dev/nvidiactl",),
    binds=("/usr/lib/libcuda.so.1",),
    variables={"NVIDIA": "yes"},
)


def settings(**of: object) -> RuntimesSettings:
    types = {"cpu": RuntimeType(memory=2 * GIB), "t4": RuntimeType(memory=2 * GIB, accelerator="t4")}
    return RuntimesSettings.model_validate({"types": types, "accelerators": {"t4": CARDS}} | of)


def offered(
    name: str, of: RuntimesSettings, modes: frozenset[str] = ALL, without: dict[str, str] | None = None
) -> Offer:
    accelerators = known_accelerators({}, of)
    return make_offer(
        name, of, modes=modes, accelerators=accelerators, without=without or {}, machine_bytes=16 * GIB
    )  # fmt: skip


def asked(offer: Offer, of: RuntimesSettings, unit: Unit | None = None) -> Specification:
    return specification(offer, of, version="1", environment="/e", unit=unit)


def test_a_type_too_large_for_the_machine_is_shown_with_the_reason() -> None:
    large = settings(types={"cpu": RuntimeType(), "large": RuntimeType(memory=15 * GIB)})

    offer = offered("large", large)

    assert not offer.available
    assert offer.reason == "It needs 15 GiB of memory, and this machine has 16 GiB."


def test_a_network_that_cannot_be_had_is_none_and_says_so() -> None:
    offer = offered("cpu", settings(), modes=frozenset({"none"}))

    assert (offer.available, offer.network) == (True, "none")
    assert offer.reason is not None
    assert "internet" in offer.reason
    assert asked(offer, settings()).network == Network("none")
    assert offered("cpu", settings()).reason is None


def test_without_an_accelerator_the_type_is_shown_and_not_available() -> None:
    offer = offered("t4", settings(), without={"t4": "This machine has no GPU."})

    assert (offer.available, offer.reason) == (False, "This machine has no GPU.")


def test_only_who_has_a_unit_gets_its_devices_and_no_other_unit_s() -> None:
    of = settings()
    nobody, plain = asked(offered("t4", of), of), asked(offered("cpu", of), of, Unit("t4", "/dev/nvidia1"))
    first = asked(offered("t4", of), of, Unit("t4", "/dev/nvidia0"))
    second = asked(offered("t4", of), of, Unit("t4", "/dev/nvidia1"))

    assert nobody.devices == plain.devices == nobody.binds == plain.binds == ()
    assert first.devices == ("/dev/nvidiactl", "/dev/nvidia0")
    assert first.variables == {"NVIDIA": "yes", "CUDA_VISIBLE_DEVICES": "0"}
    assert second.devices == ("/dev/nvidiactl", "/dev/nvidia1")
    assert second.binds == ("/usr/lib/libcuda.so.1", "/opt/second")
    assert asked(offered("t4", of), of, Unit("t4", "gone")).devices == ()


def test_what_is_declared_is_not_found_besides_under_another_name() -> None:
    units = tuple(AcceleratorUnit(name=f"GPU-{n}", devices=(f"/dev/nvidia{n}",)) for n in range(3))
    found = {"gpu": Accelerator(units=units, devices=("/dev/nvidiactl",))}

    known = known_accelerators(found, settings())

    assert [unit.name for unit in known["gpu"].units] == ["GPU-2"]
    assert known["t4"] == CARDS
    assert known_accelerators(found, settings(accelerators={"t4": CARDS, "gpu": Accelerator()}))["gpu"].units == ()


def test_everything_that_may_be_given_is_told_to_the_engine_once() -> None:
    paths = may_be_given(known_accelerators({}, settings()))

    assert paths == ("/dev/nvidiactl", "/usr/lib/libcuda.so.1", "/dev/nvidia0", "/dev/nvidia1", "/opt/second")


def test_an_index_of_packages_is_told_to_pip_and_uv_and_may_be_reached() -> None:
    of = settings(
        types={"cpu": RuntimeType(network="packages")}, package_index="https://pypi.example.org/simple", accelerators={}
    )

    wanted = asked(offered("cpu", of), of)

    assert wanted.variables["PIP_INDEX_URL"] == wanted.variables["UV_DEFAULT_INDEX"] == of.package_index
    assert wanted.network.mode == "packages"
    assert "pypi.example.org" in wanted.network.allow
    assert "pypi.org" in wanted.network.allow


def test_the_usual_choices_are_colab_s_and_modules_are_there_before_the_user() -> None:
    types = default_types()

    assert list(types) == ["cpu", "cpu-high-ram", "gpu"]
    assert types["cpu-high-ram"].memory > types["cpu"].memory
    assert types["gpu"].accelerator == "gpu"
    assert "pandas" in asked(offered("cpu", settings()), settings()).preload


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "none-such"},
        {"types": {"cpu": {"accelerator": "none-such"}}},
        {"types": {"../cpu": {}}},
        {
            "accelerators": {
                "a": {"units": [{"name": "1", "devices": ["/dev/a"]}, {"name": "2", "devices": ["/dev/a"]}]}
            }
        },
        {"accelerators": {"a": {"units": [{"devices": ["/dev/a"]}]}, "b": {"units": [{"devices": ["/dev/a"]}]}}},
        {"accelerators": {"t4": {"units": [{"devices": ["/dev/a"]}, {"devices": ["/dev/a"]}]}}},
        {"types": {"cpu": {"network": "everything"}}},
    ],
)
def test_settings_that_cannot_be_meant_are_refused_at_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RuntimesSettings.model_validate(wrong)


def test_what_an_engine_does_not_say_it_cannot_do() -> None:
    assert abilities({}) == Abilities(frozenset({"none"}), "", None)
    assert abilities({"network": "internet", "boot": None, "allow": "/dev"}) == Abilities()
    said = abilities({"network": ["none", "internet"], "boot": "b" * 100, "allow": ["/dev/nvidia*"]})
    assert said == Abilities(frozenset({"none", "internet"}), "b" * 64, ("/dev/nvidia*",))


def test_an_engine_that_was_started_before_an_accelerator_was_declared_does_not_give_it() -> None:
    assert Abilities().refused(CARDS) is None
    assert Abilities(allow=("/dev/nvidia*", "/usr/lib/libcuda.so.1", "/opt/second")).refused(CARDS) is None
    assert "/opt/second" in (Abilities(allow=("/dev/*", "/usr/lib/*")).refused(CARDS) or "")
