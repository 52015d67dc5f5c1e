"""The types of runtimes as they can be had on this machine, and what an engine is asked for when one is chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from collegium.ground import reasons
from collegium.runtimes.model import Limits, Network, Specification, Terms, Unit
from collegium.runtimes.settings import (
    FOUND,
    GIB,
    Accelerator,
    AcceleratorUnit,
    NetworkMode,
    RuntimesSettings,
    RuntimeType,
    unit_name,
)

MEMORY_SHARE_MAX = 0.9
"""A type that wants more of the machine's memory than this share is not offered."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an engine can do on its machine."""

    networks: frozenset[str] = frozenset({"none"})
    boot: str = ""
    """Which start of its machine this is."""
    allow: tuple[str, ...] | None = None
    """Patterns of the devices and files that it gives to runtimes; None if it asks nobody."""

    def refused(self, accelerator: Accelerator) -> str | None:
        """Why it does not give an accelerator to anybody, or None."""
        for path in may_be_given({"": accelerator}):
            if self.allow is not None and not any(fnmatchcase(path, pattern) for pattern in self.allow):
                return f"The engine was started before {path} was declared; its administrator should start it anew."
        return None


def abilities(status: Mapping[str, Any]) -> Abilities:
    """What an engine says of itself; what it does not say, it cannot do."""
    networks, allow = status.get("network"), status.get("allow")
    return Abilities(
        networks=frozenset(map(str, networks)) if isinstance(networks, list) else frozenset({"none"}),
        boot=str(status.get("boot") or "")[:64],
        allow=tuple(map(str, allow)) if isinstance(allow, list) else None,
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A type, and what became of it here."""

    name: str
    type: RuntimeType
    network: NetworkMode
    """What it reaches here, which may be less than the settings say; `reason` says so then."""
    accelerator: Accelerator | None = None
    available: bool = True
    reason: str | None = None
    """Why it is not available, or what it lacks."""

    @property
    def limits(self) -> Limits:
        """What a runtime of this type may use."""
        return Limits(int(self.type.memory), self.type.cpus, self.type.processes, int(self.type.disk))

    @property
    def terms(self) -> Terms:
        """For how long one is lent."""
        lifetime = self.type.lifetime
        return Terms(
            idle_ms=int(self.type.idle_timeout.total_seconds() * 1000),
            lifetime_ms=None if lifetime is None else int(lifetime.total_seconds() * 1000),
            keep_ms=int(self.type.keep_max.total_seconds() * 1000),
        )


def known_accelerators(found: Mapping[str, Accelerator], settings: RuntimesSettings) -> dict[str, Accelerator]:
    """Those that are declared, and what was found besides: nothing is lent under two names."""
    declared = settings.accelerators
    taken = {device for one in declared.values() for device in one.devices}
    taken |= {device for one in declared.values() for unit in one.units for device in unit.devices}
    left = {
        name: one.model_copy(update={"units": tuple(unit for unit in one.units if taken.isdisjoint(unit.devices))})
        for name, one in found.items()
    }
    return {FOUND: Accelerator()} | left | declared


def may_be_given(accelerators: Mapping[str, Accelerator]) -> tuple[str, ...]:
    """Every device node and file of the machine that a runtime with an accelerator gets."""
    paths: list[str] = []
    for accelerator in accelerators.values():
        paths += [*accelerator.devices, *accelerator.binds]
        for unit in accelerator.units:
            paths += [*unit.devices, *unit.binds]
    return _once(tuple(paths))


def make_offer(
    name: str,
    settings: RuntimesSettings,
    *,
    modes: frozenset[str],
    accelerators: Mapping[str, Accelerator],
    without: Mapping[str, str],
    machine_bytes: int,
) -> Offer:
    """What can be had of a type. `modes`: networks that the engine can make; `without`: why there are no units."""
    wanted = settings.types[name]
    accelerator = accelerators.get(wanted.accelerator or "")
    lacking = None if wanted.accelerator is None else without.get(wanted.accelerator)
    if wanted.memory > machine_bytes * MEMORY_SHARE_MAX:
        lacking = f"It needs {_gib(wanted.memory)} of memory, and this machine has {_gib(machine_bytes)}."
    if lacking is not None:
        return Offer(name, wanted, wanted.network, accelerator, available=False, reason=lacking)
    if wanted.network == "none" or wanted.network in modes:
        return Offer(name, wanted, wanted.network, accelerator)
    reason = reasons.words("network_none", network=wanted.network)
    return Offer(name, wanted, "none", accelerator, reason=reason)


def specification(
    offer: Offer,
    settings: RuntimesSettings,
    *,
    version: str,
    environment: str,
    layers: tuple[str, ...] = (),
    unit: Unit | None = None,
) -> Specification:
    """What the engine is asked for. Only who has a unit gets its devices."""
    declared, own = _unit(offer.accelerator, unit)
    return Specification(
        type=offer.name,
        version=version,
        environment=environment,
        limits=offer.limits,
        network=_network(offer.network, settings),
        layers=layers,
        devices=_once(declared.devices + own.devices),
        binds=_once(declared.binds + own.binds),
        variables=_index_variables(settings.package_index) | declared.variables | own.variables,
        preload=offer.type.preload,
    )


def _unit(accelerator: Accelerator | None, unit: Unit | None) -> tuple[Accelerator, AcceleratorUnit]:
    if unit is None or accelerator is None:
        return Accelerator(), AcceleratorUnit()
    for index, one in enumerate(accelerator.units):
        if unit_name(accelerator, index) == unit.name:
            return accelerator, one
    return Accelerator(), AcceleratorUnit()


def _network(mode: NetworkMode, settings: RuntimesSettings) -> Network:
    match mode:
        case "none":
            return Network()
        case "packages":
            host = urlsplit(settings.package_index or "").hostname
            return Network(mode, _once((*settings.packages_hosts, *((host,) if host else ()))))
        case "internet":
            return Network(mode, settings.internet_allow)


def _index_variables(index: str | None) -> dict[str, str]:
    return {} if index is None else {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index, "UV_INDEX_URL": index}


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _gib(size: int) -> str:
    return f"{size / GIB:.3g} GiB"
