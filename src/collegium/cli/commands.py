"""The commands, each a thin door to a use case."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import anyio
import typer
from rich.console import Console
from rich.prompt import Prompt

from collegium import __version__
from collegium.accounts.groups import Groups
from collegium.accounts.model import OPERATOR
from collegium.accounts.service import Accounts
from collegium.app import create_app, open_accounts_only, open_groups_only, open_house
from collegium.cli import backup as backups
from collegium.cli import engine, folder
from collegium.cli.headless import run_notebook
from collegium.cli.report import report_table
from collegium.ground.errors import CollegiumError
from collegium.ground.log import configure_log
from collegium.settings import Settings

app = typer.Typer(
    help="Collegium: a Colab that people run themselves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
users = typer.Typer(help="The people who may sign in.", no_args_is_help=True)
tokens = typer.Typer(help="Credentials for programs.", no_args_is_help=True)
groups = typer.Typer(help="Groups of people to share with.", no_args_is_help=True)
engines = typer.Typer(help="The local engine, which outlives the server.", no_args_is_help=True)
app.add_typer(users, name="users")
app.add_typer(groups, name="groups")
app.add_typer(tokens, name="tokens")
app.add_typer(engines, name="engine")

console = Console()
complaints = Console(stderr=True)

DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The data folder.", envvar="COLLEGIUM_DATA", file_okay=False)
]
T = TypeVar("T")
P = TypeVar("P")


@app.command()
def serve(
    data: DataFolder = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 8000,
    runtimes: Annotated[bool, typer.Option(help="Whether notebooks can run here.")] = True,
    without_isolation: Annotated[
        bool,
        typer.Option("--without-isolation", help="Serve several people although runtimes cannot be isolated here."),
    ] = False,
    workers: Annotated[
        int, typer.Option(help="How many processes share the work; they share the address and the data.", min=1, max=64)
    ] = 1,
) -> None:
    """Serve the page and the API, and set up what is missing first."""
    from collegium.cli.serve import Seat, bound, serve_until_told
    from collegium.cli.supervisor import Supervisor

    settings = _settings(data)
    configure_log(json=not sys.stderr.isatty(), level=settings.log_level)
    try:
        uid, gid = folder.prepare(settings.data)
        with folder.claimed(settings.data):
            settings = engine.with_environment(settings) if runtimes else engine.without(settings)
            weakness = None if without_isolation else engine.why_not_isolated(settings)
            root = os.geteuid() == 0
            if not root and workers == 1:
                anyio.run(serve_until_told, settings, host, port, weakness, backend_options={"use_uvloop": True})
                return
            listener = bound(host, port) if workers > 1 else None

            def serve_as(number: int, again: bool, is_well: Callable[[], None]) -> None:
                seat = None if listener is None else Seat(listener, number, again, is_well)
                anyio.run(serve_until_told, settings, host, port, weakness, seat, backend_options={"use_uvloop": True})

            status = Supervisor(
                workers,
                prepare=lambda: engine.become(settings, uid, gid) if root else None,
                serve=serve_as,
                each_second=lambda: engine.keep(settings, uid, gid) if root else None,
            ).run()
            raise typer.Exit(status)
    except (CollegiumError, BaseExceptionGroup) as error:
        _give_up(error)


@app.command()
def run(
    notebook: Annotated[Path, typer.Argument(help="The notebook to run.", exists=True, dir_okay=False)],
    output: Annotated[Path | None, typer.Option(help="Where to write it with its outputs.")] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="A parameter, as NAME=VALUE; may be repeated.")
    ] = None,
    data: DataFolder = None,
) -> None:
    """Run a notebook from top to bottom in a sandbox of its own. Exits with 1 if a cell fails."""
    configure_log(json=not sys.stderr.isatty(), level="warning")
    settings = _settings(data)
    try:
        settings = engine.with_environment(settings)
        failed = anyio.run(run_notebook, settings, notebook, output, _parameters(parameters or []))
    except (CollegiumError, BaseExceptionGroup) as error:
        _give_up(error)
    raise typer.Exit(1 if failed else 0)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
    data: DataFolder = None,
) -> None:
    """Say what this machine can do for runtimes, what it cannot, and how to mend that.

    Exits with 1 if something is missing without which nothing runs.
    """
    settings = _settings(data)
    findings = [*engine.findings(settings), backups.finding(settings)]
    missing = [one.name for one in findings if one.state == "missing"]
    if as_json:
        print(json.dumps({"ok": not missing, "findings": [asdict(one) for one in findings]}, indent=1))
    else:
        console.print(report_table(findings))
        degraded = sum(one.state == "degraded" for one in findings)
        if missing:
            console.print(f"\n[red]Runtimes cannot be made here: {', '.join(missing)}.[/red]")
        else:
            console.print(f"\nRuntimes are isolated here. Degraded or absent: {degraded}, as marked with ~.")
    raise typer.Exit(1 if missing else 0)


@app.command()
def backup(
    where: Annotated[Path, typer.Argument(help="The folder for backups; each is added to those before.")],
    verify: Annotated[bool, typer.Option("--verify", help="Make none: read every byte of the last one.")] = False,
    name: Annotated[str | None, typer.Option(help="Which one to verify.")] = None,
    keep: Annotated[int | None, typer.Option(help="Afterwards, keep only so many of them.", min=1)] = None,
    data: DataFolder = None,
) -> None:
    """Copy everything as it is at one moment, also while the server runs. Exits with 1 if files were lost before."""
    configure_log(json=False, level="warning")
    try:
        if verify:
            chosen, manifest = backups.verify(where, name)
            complaints.print(f"{chosen} is whole.")
        else:
            chosen, manifest, gone = anyio.run(backups.back_up, _settings(data), where, keep)
            complaints.print(f"Made {chosen}." + (f" Forgot {len(gone)} older." if gone else ""))
    except (CollegiumError, BaseExceptionGroup) as error:
        _give_up(error)
    rows = sum(part.lines for part in manifest.tables.values())
    complaints.print(f"{rows} rows, {manifest.objects.lines} files, {manifest.bytes} bytes.")
    if manifest.missing:
        complaints.print(f"[red]{len(manifest.missing)} files were lost before, and are not in it.[/red]")
        raise typer.Exit(1)


@app.command()
def restore(
    where: Annotated[Path, typer.Argument(help="The folder for backups.", exists=True, file_okay=False)],
    name: Annotated[str | None, typer.Option(help="Which one; the last if left out.")] = None,
    data: DataFolder = None,
) -> None:
    """Bring a backup back into an empty installation: another data folder, and the database and blobs that are set."""
    configure_log(json=False, level="warning")
    try:
        chosen, manifest = anyio.run(backups.restore, _settings(data), where, name)
    except (CollegiumError, BaseExceptionGroup) as error:
        _give_up(error)
    complaints.print(f"Restored {chosen}, which was made by Collegium {manifest.version}.")


@app.command(hidden=True)
def openapi() -> None:
    """Print the description of the HTTP API, from which the page's types are made."""

    async def described(settings: Settings) -> str:
        async with open_house(settings) as house:
            return json.dumps(create_app(house).openapi(), indent=1, ensure_ascii=False)

    configure_log(json=False, level="warning")
    with engine.temporary_settings() as settings:
        print(anyio.run(described, settings))


@users.command("add")
def add_user(
    email: str,
    name: Annotated[str | None, typer.Option(help="What others see; the e-mail's first part if left out.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="May administer this installation.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from the input.")] = False,
    data: DataFolder = None,
) -> None:
    """Add a user, also while the server runs."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else Prompt.ask("Password", password=True)

    async def added(accounts: Accounts) -> None:
        await accounts.create_user(email, name or email.split("@")[0], password, admin=admin)

    _with_accounts(data, added)
    complaints.print(f"Added {email}.")


@users.command("remove")
def remove_user(email: str, data: DataFolder = None) -> None:
    """Remove a user: their logins and tokens end at once, also in open tabs."""

    async def removed(accounts: Accounts) -> None:
        await accounts.remove_user(email)

    _with_accounts(data, removed)
    complaints.print(f"Removed {email}.")


@groups.command("list")
def list_groups(
    name: Annotated[str | None, typer.Argument(help="Whose members; every group if left out.")] = None,
    data: DataFolder = None,
) -> None:
    """Print each group with how many are in it, or each member of one, tab-separated."""

    async def listed(groups: Groups) -> list[tuple[str, str]]:
        if name is None:
            return [(group.name, str(group.size)) for group in await groups.all()]
        _, members = await groups.group(OPERATOR, (await groups.named(name)).id)
        return [(user.email, user.name) for user in members]

    for words in _with(open_groups_only, data, listed):
        print(*words, sep="\t")


@groups.command("create")
def create_group(name: str, data: DataFolder = None) -> None:
    """Make a group, with nobody in it yet."""

    async def created(groups: Groups) -> None:
        await groups.create(OPERATOR, name)

    _with(open_groups_only, data, created)
    complaints.print(f"Made the group {name}.", markup=False)


@groups.command("add")
def add_to_group(name: str, email: str, data: DataFolder = None) -> None:
    """Put somebody into a group; what is shared with it is shared with them within seconds."""

    async def added(groups: Groups) -> None:
        await groups.add(OPERATOR, (await groups.named(name)).id, email)

    _with(open_groups_only, data, added)
    complaints.print(f"{email} is in {name}.", markup=False)


@groups.command("remove")
def remove_from_group(name: str, email: str, data: DataFolder = None) -> None:
    """Take somebody out of a group: what they had by it alone ends within seconds, also in open tabs."""

    async def removed(groups: Groups) -> None:
        await groups.remove(OPERATOR, (await groups.named(name)).id, email)

    _with(open_groups_only, data, removed)
    complaints.print(f"{email} is no longer in {name}.", markup=False)


@tokens.command("create")
def create_token(
    email: str,
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    data: DataFolder = None,
) -> None:
    """Make a token for a user and print it, alone. It is never shown again."""

    async def created(accounts: Accounts) -> str:
        return await accounts.create_token(email, name)

    print(_with_accounts(data, created))


@engines.command("stop")
def stop_engine(data: DataFolder = None) -> None:
    """End every runtime of this data folder, and the engine itself."""
    engine.stop(_settings(data))


@app.command()
def image(
    version: Annotated[str | None, typer.Argument(help="The runtime version; the usual one if not named.")] = None,
    base: Annotated[
        str, typer.Option(help="The image to begin with: a Debian with the Python of this machine.")
    ] = "debian:12-slim",
    data: DataFolder = None,
) -> None:
    """Build a runtime version's image, for runtimes that are Docker's containers."""
    settings = _settings(data)
    chosen = version or settings.runtimes.version
    with complaints.status(f"Building the image of {chosen} …") as status:
        try:
            made = anyio.run(
                engine.make_image, settings, chosen, base, lambda line: status.update(f"{chosen}: {line[:80]}")
            )
        except CollegiumError as error:
            _give_up(error)
    print(made)


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Collegium: a Colab that people run themselves."""
    if version:
        print(__version__)
        raise typer.Exit


def _settings(data: Path | None) -> Settings:
    return Settings(data=(data or folder.default_data_folder()).absolute())


def _with_accounts(data: Path | None, use: Callable[[Accounts], Awaitable[T]]) -> T:
    return _with(open_accounts_only, data, use)


def _with(
    opened: Callable[[Settings], AbstractAsyncContextManager[P]], data: Path | None, use: Callable[[P], Awaitable[T]]
) -> T:
    """What is done with a part of the server that is opened alone, perhaps beside a server."""

    async def used(settings: Settings) -> T:
        async with opened(settings) as part:
            return await use(part)

    configure_log(json=False, level="warning")
    settings = _settings(data)
    folder.prepare(settings.data)
    try:
        return anyio.run(used, settings)
    except (CollegiumError, BaseExceptionGroup) as error:
        _give_up(error)


def _parameters(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, is_pair, value = word.partition("=")
        if not is_pair or not name.isidentifier():
            raise typer.BadParameter(f"{word!r} is not NAME=VALUE")
        found[name] = value
    return found


def _give_up(error: BaseException) -> NoReturn:
    """Say in one line what a person can act on; anything else is a bug and keeps its trace."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        # What is raised among a part's tasks comes out of its task group wrapped.
        error = error.exceptions[0]
    if not isinstance(error, CollegiumError):
        raise error
    complaints.print(f"[red]{error.detail}[/red]", soft_wrap=True)
    raise typer.Exit(2) from None
