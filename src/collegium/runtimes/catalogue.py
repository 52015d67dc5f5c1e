"""The types of runtimes on offer: the settings, held against what the engine and the machine can do now."""

from collections.abc import Mapping

from collegium.ground.errors import Invalid
from collegium.runtimes.offers import Abilities, Offer, abilities, make_offer
from collegium.runtimes.ports import Accelerators, Engine
from collegium.runtimes.settings import Accelerator, RuntimesSettings, machine_memory_bytes


class Catalogue:
    """Every type, and what can be had of it."""

    def __init__(
        self,
        settings: RuntimesSettings,
        engine: Engine,
        hardware: Accelerators,
        accelerators: Mapping[str, Accelerator],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._hardware = hardware
        self._accelerators = accelerators
        self._abilities: Abilities | None = None

    async def offers(self) -> list[Offer]:
        """Every type, with what can be had of it here. Raises Unavailable."""
        return [await self.offer(name) for name in self._settings.types]

    async def offer(self, type: str) -> Offer:
        """What can be had of a type. Raises Invalid, Unavailable."""
        if type not in self._settings.types:
            raise Invalid(f"There is no runtime type {type[:64]!r}.", types=list(self._settings.types))
        can, name = await self.abilities(), self._settings.types[type].accelerator
        without = None
        if name is not None:
            declared = self._accelerators[name]
            without = await self._hardware.why_none(declared) or can.refused(declared)
        return make_offer(
            type,
            self._settings,
            modes=can.networks,
            accelerators=self._accelerators,
            without={} if name is None or without is None else {name: without},
            machine_bytes=machine_memory_bytes(),
        )

    def label(self, type: str) -> str:
        """What people read for a type, also for one that is offered no more."""
        known = self._settings.types.get(type)
        return (known and known.label) or type

    def is_default(self, type: str) -> bool:
        """Whether it is used if nobody chooses one."""
        return type == self._settings.type

    async def abilities(self) -> Abilities:
        """What the engine can do; asked once until it is another engine. Raises Unavailable."""
        if self._abilities is None:
            self._abilities = abilities(await self._engine.status())
        return self._abilities

    def ask_again(self) -> None:
        """The engine may be another one now."""
        self._abilities = None
