"""Locks of notebooks are strangers' letters: what can be built is, the rest is refused in words."""

import pytest

from collegium.ground.errors import Invalid
from collegium.sessions.environment_store import Layer
from collegium.sessions.layers import overdue
from collegium.sessions.locks import LOCK_CHARACTERS_MAX, LocalFile, layer_name, parse

HASH = "a" * 64
HEAD = 'lock-version = "1.0"\ncreated-by = "uv"\n'


def locked(source: str, name: str = "thing") -> str:
    return f'{HEAD}[[packages]]\nname = "{name}"\nversion = "1.0"\n{source}\n'


def wheel(place: str, hashes: str = f'sha256 = "{HASH}"') -> str:
    return f'wheels = [{{ name = "thing-1.0-py3-none-any.whl", {place}, hashes = {{ {hashes} }} }}]'


def vcs(url: str, commit: str = "c" * 40, kind: str = "git") -> str:
    return f'vcs = {{ type = "{kind}", url = "{url}", commit-id = "{commit}" }}'


def test_a_wheel_of_an_index_and_a_commit_of_a_repository_can_be_built() -> None:
    assert parse(locked(wheel('url = "https://files.example/thing-1.0-py3-none-any.whl"'))).names == ("thing",)
    assert parse(locked(vcs("https://git.example/thing.git"))).files == ()


def test_a_file_of_the_runtime_is_named_with_its_hash() -> None:
    lock = parse(locked(f'archive = {{ path = "/content/thing.whl", hashes = {{ sha256 = "{HASH}" }} }}'))

    assert lock.files == (LocalFile("/content/thing.whl", HASH),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("packages = [", "not TOML"),
        ("", "PEP 751"),
        ('lock-version = "2.0"\ncreated-by = "x"\npackages = []', "not known here"),
        (HEAD + "packages = 5", "PEP 751"),
        ("x" * (LOCK_CHARACTERS_MAX + 1), "too long"),
        (locked('directory = { path = "/content/thing" }'), "a folder"),
        (locked(wheel('url = "https://files.example/t.whl"', 'md5 = "x"')), "no sha256"),
        (locked(wheel('url = "file:///etc/shadow"')), "not HTTP"),
        (locked(wheel('url = "https://ada:secret@files.example/t.whl"')), "a password"),
        (locked(wheel('path = "../../etc/shadow"')), "where it lies"),
        (locked(wheel('path = "/content/../etc/shadow"')), "where it lies"),
        (locked(vcs("ssh://git@git.example/thing.git")), "by git over HTTP"),
        (locked(vcs("https://git.example/thing.git", kind="hg")), "by git over HTTP"),
        (locked(vcs("https://git.example/thing.git", commit="main")), "no commit"),
        (locked(wheel('url = "https://files.example/t.whl"'), name="no name at all!"), "PEP 751"),
    ],
)
def test_what_cannot_be_built_again_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        parse(text)


def test_too_many_packages_are_refused() -> None:
    with pytest.raises(Invalid, match="more than 2000"):
        parse(HEAD + "".join(locked(vcs("https://git.example/t.git"), f"p{n}")[len(HEAD) :] for n in range(2001)))


def test_a_layer_is_of_one_lock_and_one_environment() -> None:
    assert layer_name("a", "v1") == layer_name("a", "v1")
    assert len({layer_name("a", "v1"), layer_name("b", "v1"), layer_name("a", "v2"), layer_name("1a", "v")}) == 4


def layer(name: str, used_at: int, size: int = 10) -> Layer:
    return Layer(name, f"/layers/{name}", "v", size, 0, used_at)


def test_layers_age_and_make_room() -> None:
    layers = [layer("old", 10), layer("b", 60), layer("c", 70), layer("d", 90)]

    assert [one.layer for one in overdue(layers, now=100, old_ms=80, bytes_max=1000)] == ["old"]
    assert [one.layer for one in overdue(layers, now=100, old_ms=80, bytes_max=20)] == ["old", "b"]
    assert [one.layer for one in overdue(layers, now=100, old_ms=1000, bytes_max=0)] == ["old", "b", "c", "d"]
    assert overdue([], now=100, old_ms=1, bytes_max=0) == []
