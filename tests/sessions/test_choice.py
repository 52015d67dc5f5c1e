"""Which runtime a notebook gets: what its metadata says, as Colab writes it, against what can be had here."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium.sessions.choice import Asked, Choice, Offers, TypeOffer, choose, choose_kernel, wish

CPU, HIGH = TypeOffer("cpu"), TypeOffer("cpu-high-ram")
T4 = TypeOffer("t4", accelerator="gpu", model="NVIDIA T4")
A100 = TypeOffer("a100", accelerator="gpu", available=False, reason="All cards are broken.", version="2026.11-cuda")
VERSIONS = ["2026.05", "2026.11"]
NOBODY = Asked()


def offers(*types: TypeOffer) -> Offers:
    return Offers(types or (CPU, HIGH, T4, A100), VERSIONS, "cpu", "2026.11")


def chosen(metadata: dict[str, Any], asked: Asked = NOBODY, *types: TypeOffer) -> Choice:
    return choose(wish(metadata), asked, offers(*types))


def gpu(model: str | None = None, **colab: Any) -> dict[str, Any]:
    return {"accelerator": "GPU", "colab": {**colab, **({} if model is None else {"gpuType": model})}}


@pytest.mark.parametrize(
    ("metadata", "type"),
    [
        ({}, "cpu"),
        ({"accelerator": "None"}, "cpu"),
        ({"accelerator": ""}, "cpu"),
        ({"colab": {"machine_shape": "hm"}}, "cpu-high-ram"),
        (gpu(), "t4"),
        (gpu("T4"), "t4"),
        (gpu("NVIDIA T4"), "t4"),
        (gpu("T4", machine_shape="hm"), "t4"),
    ],
)
def test_a_notebook_gets_the_type_that_it_names(metadata: dict[str, Any], type: str) -> None:
    assert chosen(metadata) == Choice(type, "2026.11", "python3")


def test_a_notebook_gets_the_version_and_the_kernel_that_it_names() -> None:
    metadata = {"colab": {"runtime_attributes": {"runtime_version": "2026.05"}}, "kernelspec": {"name": "ir"}}

    assert chosen(metadata) == Choice("cpu", "2026.05", "ir")


def test_what_somebody_chose_for_this_time_counts_before_what_the_notebook_says() -> None:
    metadata = gpu("T4", runtime_attributes={"runtime_version": "2026.05"})

    assert chosen(metadata, Asked(type="cpu")) == Choice("cpu", "2026.05", "python3")
    assert chosen(metadata, Asked(version="2026.11")) == Choice("t4", "2026.11", "python3")


@pytest.mark.parametrize(
    ("metadata", "asked", "type", "note"),
    [
        (gpu("A100"), NOBODY, "t4", "The notebook asks for GPU A100, which cannot be had here: t4 is used."),
        (gpu("H100"), NOBODY, "t4", "The notebook asks for GPU H100, which cannot be had here: t4 is used."),
        ({"accelerator": "TPU"}, NOBODY, "cpu",
         "The notebook asks for an accelerator (TPU): there is none here. cpu is used."),
        ({}, Asked(type="a100"), "cpu",
         "You cannot have the runtime type “a100” now: All cards are broken. cpu is used."),
        ({}, Asked(type="dream"), "cpu", "There is no runtime type “dream” here: cpu is used."),
        ({"colab": {"runtime_attributes": {"runtime_version": "2024.01"}}}, NOBODY, "cpu",
         "There is no runtime version “2024.01” here: 2026.11 is used."),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_noted_and_never_an_error(
    metadata: dict[str, Any], asked: Asked, type: str, note: str
) -> None:
    assert chosen(metadata, asked) == Choice(type, "2026.11", "python3", (note,))


def test_why_there_is_no_accelerator_is_told() -> None:
    choice = chosen(gpu("A100"), NOBODY, CPU, A100)

    assert choice.notes == ("The notebook asks for an accelerator (GPU A100): All cards are broken. cpu is used.",)


def test_a_machine_without_much_memory_says_so() -> None:
    small = TypeOffer("cpu-high-ram", available=False, reason="It needs 16 GiB, and this machine has 8.")

    choice = chosen({"colab": {"machine_shape": "hm"}}, NOBODY, CPU, small)

    assert (choice.type, len(choice.notes)) == ("cpu", 1)
    assert "this machine has 8. cpu is used." in choice.notes[0]


def test_what_a_type_lacks_here_is_told() -> None:
    lonely = TypeOffer("cpu", reason="It has no network here")

    assert chosen({}, NOBODY, lonely).notes == ("It has no network here.",)


def test_an_accelerator_brings_its_own_version() -> None:
    ready = TypeOffer("a100", accelerator="gpu", version="2026.11-cuda")

    assert chosen(gpu(), NOBODY, CPU, ready).version == "2026.11-cuda"
    named = gpu(runtime_attributes={"runtime_version": "2026.05"})
    assert chosen(named, NOBODY, CPU, ready).version == "2026.05"


KNOWN = {"python3": "python", "bash": "bash"}


@pytest.mark.parametrize(
    ("wanted", "name", "noted"),
    [
        ("python3", "python3", False),
        ("bash", "bash", False),
        ("ir", "python3", True),
        ("python2", "python3", False),
        ("conda-env-lab-py", "python3", False),
    ],
)
def test_the_kernel_is_the_named_one_if_the_version_has_it(wanted: str, name: str, noted: bool) -> None:
    found, language, note = choose_kernel(wanted, KNOWN)

    assert (found, language) == (name, KNOWN[name])
    assert (note is not None) == noted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
)
STRANGE = st.fixed_dictionaries(
    {},
    optional={
        "accelerator": JSON,
        "kernelspec": JSON | st.fixed_dictionaries({"name": JSON}),
        "colab": JSON
        | st.fixed_dictionaries(
            {}, optional={"gpuType": JSON, "machine_shape": JSON, "runtime_attributes": st.dictionaries(JSON.filter(
                lambda key: isinstance(key, str)) | st.just("runtime_version"), JSON, max_size=2)},
        ),
    },
)  # fmt: skip


@given(STRANGE)
def test_whatever_a_file_says_there_is_a_runtime(metadata: dict[str, Any]) -> None:
    choice = chosen(metadata)

    assert choice.type in {"cpu", "cpu-high-ram", "t4"}
    assert choice.version in VERSIONS
    assert all(note.isprintable() for note in choice.notes)
