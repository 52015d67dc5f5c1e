"""Which runtime a notebook gets: what its metadata asks for, as Colab writes it, against what can be had here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collegium.ground import reasons
from collegium.sessions.model import PYTHON

NAME_CHARACTERS_MAX = 64
HIGH_RAM = "cpu-high-ram"
HIGH_RAM_SHAPE = "hm"
NO_ACCELERATORS = frozenset({"", "NONE", "CPU"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a notebook asks for; None: it does not say. `accelerator` is a kind, `gpu` a model or a type's name."""

    accelerator: str | None = None
    gpu: str | None = None
    high_ram: bool = False
    version: str | None = None
    kernel: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody chose for this one runtime, whatever the notebook says."""

    type: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class TypeOffer:
    """A runtime type of the settings; `reason`: why it cannot be had, or what it lacks here."""

    name: str
    accelerator: str | None = None
    model: str | None = None
    available: bool = True
    reason: str | None = None
    version: str | None = None
    """The runtime version that goes with its accelerator."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be had here. The default type and version can always be asked for."""

    types: Sequence[TypeOffer]
    versions: Sequence[str]
    default_type: str
    default_version: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for in the end, and what people should know of it."""

    type: str
    version: str
    kernel: str
    notes: tuple[str, ...] = ()


def wish(metadata: Mapping[str, Any]) -> Wish:
    """What the metadata of a notebook asks for; whatever is of no known form asks for nothing."""
    colab = _object(metadata.get("colab"))
    accelerator = (_text(metadata.get("accelerator")) or "").upper()
    return Wish(
        accelerator=None if accelerator in NO_ACCELERATORS else accelerator,
        gpu=_text(colab.get("gpuType")),
        high_ram=colab.get("machine_shape") == HIGH_RAM_SHAPE,
        version=_text(_object(colab.get("runtime_attributes")).get("runtime_version")),
        kernel=_text(_object(metadata.get("kernelspec")).get("name")),
    )


def choose(wished: Wish, asked: Asked, offers: Offers) -> Choice:
    """What can be had and comes nearest. Nothing here is an error: what cannot be had is noted."""
    type, notes = _type(wished, asked, offers)
    offer = next((offer for offer in offers.types if offer.name == type), TypeOffer(type))
    if offer.available and offer.reason:
        notes.append(f"{_unended(offer.reason)}.")
    usual = offer.version or offers.default_version
    version = asked.version or wished.version or usual
    if version not in offers.versions and version != usual:
        notes.append(reasons.words("runtime_version_none", version=version, usual=usual))
        version = usual
    return Choice(type, version, wished.kernel or PYTHON, tuple(notes))


def choose_kernel(wanted: str, known: Mapping[str, str]) -> tuple[str, str, str | None]:
    """Name and language of the kernel that is started, and a note if it is not the wanted one. `known`: language by
    name, of the runtime version that is used."""
    if wanted in known:
        return wanted, known[wanted], None
    if _is_python(wanted):
        # Environments that people name on their own machines (`conda-env-x-py`, `my-venv`) are Python all the same.
        return PYTHON, known.get(PYTHON, "python"), None
    note = reasons.words("runtime_kernel_none", kernel=wanted, usual=PYTHON)
    return PYTHON, known.get(PYTHON, "python"), note


def _is_python(name: str) -> bool:
    return name.lower().startswith(("python", "conda", "venv", ".venv", "base")) or name.endswith(("-py", "-python"))


def _type(wished: Wish, asked: Asked, offers: Offers) -> tuple[str, list[str]]:
    default = offers.default_type
    if asked.type is not None:
        named = next((offer for offer in offers.types if offer.name == asked.type), None)
        if named is None:
            return default, [reasons.words("runtime_type_none", type=asked.type, usual=default)]
        return _if_available(named, "runtime_type_away", default)
    if wished.accelerator is not None:
        return _accelerated(wished, offers)
    if wished.high_ram:
        large = next((offer for offer in offers.types if offer.name == HIGH_RAM), None)
        if large is None:
            return default, [reasons.words("high_ram_none", usual=default)]
        return _if_available(large, "high_ram_away", default)
    return default, []


def _accelerated(wished: Wish, offers: Offers) -> tuple[str, list[str]]:
    """The model that is asked for, else one of the kind, those that can be had first."""
    kind, default = wished.accelerator or "", offers.default_type
    of_kind = [offer for offer in offers.types if (offer.accelerator or "").upper() == kind]
    meant = kind if wished.gpu is None else f"{kind} {wished.gpu}"
    exact = [offer for offer in of_kind if wished.gpu is not None and _is_model(offer, wished.gpu)]
    found = next((offer for offer in [*exact, *of_kind] if offer.available), None)
    if found is None:
        why = next((offer.reason for offer in [*exact, *of_kind] if offer.reason), reasons.words("none_here"))
        return default, [reasons.words("accelerator_none", accelerator=meant, because=_unended(why), usual=default)]
    if wished.gpu is not None and found not in exact:
        return found.name, [reasons.words("accelerator_other", accelerator=meant, usual=found.name)]
    return found.name, []


def _is_model(offer: TypeOffer, wanted: str) -> bool:
    return wanted.casefold() in (offer.name.casefold(), (offer.model or "").casefold())


def _if_available(offer: TypeOffer, away: str, default: str) -> tuple[str, list[str]]:
    """`away`: the code of the note where it is not."""
    if offer.available:
        return offer.name, []
    if offer.reason:
        because = _unended(offer.reason)
        return default, [reasons.words(f"{away}_because", type=offer.name, because=because, usual=default)]
    return default, [reasons.words(away, type=offer.name, usual=default)]


def _unended(sentence: str) -> str:
    return sentence.rstrip(". ")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= NAME_CHARACTERS_MAX and value.isprintable() else None
