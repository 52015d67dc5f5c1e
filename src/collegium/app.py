"""Builds the whole: the parts bottom up in one stack, so that they stop in the opposite order, and the doors on top."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from anyio import create_task_group, to_thread
from anyio.abc import TaskGroup
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from collegium import __version__
from collegium.accounts import groups_routes, preferences_routes
from collegium.accounts import routes as accounts_routes
from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.groups import Groups, open_groups
from collegium.accounts.model import Principal, Role
from collegium.accounts.preferences import Preferences
from collegium.accounts.service import Accounts, open_accounts
from collegium.comments import routes as comments_routes
from collegium.comments.service import Comments
from collegium.drive import playground_routes, shelf_routes
from collegium.drive import routes as drive_routes
from collegium.drive.adapters import open_blobs
from collegium.drive.adapters.search import matcher_of
from collegium.drive.copying import Copying
from collegium.drive.model import Item
from collegium.drive.playgrounds import Playgrounds, open_playgrounds
from collegium.drive.ports import Blobs
from collegium.drive.search import Search
from collegium.drive.service import Drive, open_drive
from collegium.drive.shelves import Shelves, open_shelves
from collegium.drive.trash import Trash, open_trash
from collegium.ground import probes
from collegium.ground.db import Database, open_database
from collegium.ground.errors import Unavailable
from collegium.ground.fetch import Fetch
from collegium.ground.http import BodyLimit, Gate, add_problem_handlers
from collegium.ground.ids import UserId
from collegium.ground.news import News
from collegium.ground.pages import add_pages, build_of, keep_assets
from collegium.inside import routes as inside_routes
from collegium.inside.door import PortsDoor
from collegium.inside.service import Inside, open_inside
from collegium.jupyter import routes as jupyter_routes
from collegium.jupyter.adapters import LentRuntimes, SessionPages, VersionSpecs
from collegium.jupyter.building import JupyterApi, open_jupyter_api
from collegium.jupyter.door import QueryToken
from collegium.notebooks import info_routes, revision_routes
from collegium.notebooks import routes as notebooks_routes
from collegium.notebooks.comparing import Comparing
from collegium.notebooks.copies import Copies
from collegium.notebooks.indexing import open_indexing
from collegium.notebooks.service import Notebooks, open_notebooks
from collegium.notifications import routes as notifications_routes
from collegium.notifications.adapters import SmtpMail
from collegium.notifications.model import Occasion, Told
from collegium.notifications.service import Notifications, open_notifications
from collegium.rooms import restore_routes
from collegium.rooms import routes as rooms_routes
from collegium.rooms.bridge import Planes
from collegium.rooms.restoring import Restoring
from collegium.rooms.service import Rooms, open_rooms
from collegium.runtimes import routes as runtimes_routes
from collegium.runtimes import version_routes
from collegium.runtimes.absent import NoAccelerators, NoEngine, NoEnvironments
from collegium.runtimes.adapters import LocalEngine
from collegium.runtimes.environments import UvEnvironments
from collegium.runtimes.nvml import MachineAccelerators
from collegium.runtimes.offers import known_accelerators, may_be_given
from collegium.runtimes.ports import Accelerators, Engine, Environments
from collegium.runtimes.service import Runtimes, open_runtimes
from collegium.sessions import environment_routes, executed_routes, looking_routes, widget_routes
from collegium.sessions import routes as sessions_routes
from collegium.sessions.adapters import LentMachines, RoomDocuments
from collegium.sessions.environments import NotebookEnvironments
from collegium.sessions.executed import ExecutedCode
from collegium.sessions.leading import LedOutputs, Whose
from collegium.sessions.looking import Looking
from collegium.sessions.saved import StoredOutputs
from collegium.sessions.service import Sessions, open_sessions
from collegium.settings import Settings
from collegium.workers.door import OwnerDoor
from collegium.workers.service import Workers, open_workers
from collegium.workers.spreading import Spreading

API = "/api/v1"
LOGINS = "logins"
"""News: logins or tokens have ended."""


@dataclass(frozen=True, slots=True)
class House:
    """Every part, open."""

    settings: Settings
    database: Database
    workers: Workers
    planes: Planes
    accounts: Accounts
    groups: Groups
    notifications: Notifications
    drive: Drive
    shelves: Shelves
    search: Search
    trash: Trash
    copying: Copying
    playgrounds: Playgrounds
    notebooks: Notebooks
    rooms: Rooms
    comments: Comments
    runtimes: Runtimes
    sessions: Sessions
    environments: NotebookEnvironments
    inside: Inside
    jupyter: JupyterApi


@asynccontextmanager
async def open_house(settings: Settings, *, alone: bool = True, founding: bool = True) -> AsyncIterator[House]:
    """The whole server but its doors. Raises Unavailable if the engine cannot be started.

    `alone`: it has no other process. `founding`: it is the first of them, and nothing is left of those before.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        database = await enter(open_database(settings.database))
        database.is_first = founding
        workers = await enter(open_workers(database, settings.data, alone=alone, founding=founding))
        news = News()
        tasks = await enter(open_tasks())
        if not alone:
            Spreading(workers, news, tasks)
        accounts = await enter(open_accounts(database, Argon2Passwords(), settings.accounts))
        mail = SmtpMail(settings.mail) if settings.mail.host is not None else None
        notifications = await enter(open_notifications(database, accounts, news, mail, settings.mail))
        drive = await enter(open_drive(database, await open_places(settings, "blobs"), accounts, news, settings.drive))
        notifications.ask(drive)
        drive.on_share.append(partial(_tell_shared, notifications))
        drive.on_delete.append(notifications.forget)
        pages = settings.pages
        await to_thread.run_sync(keep_assets, pages.static, settings.data / "pages", pages.keep_assets)
        groups = await enter(open_groups(database, accounts, news))
        groups.on_delete.append(drive.forget_group)
        accounts.on_end = lambda: news.tell(LOGINS)
        stack.enter_context(
            news.listening(LOGINS, lambda _: accounts.look_again(), missed=lambda _: accounts.look_again())
        )
        outputs = LedOutputs(workers)
        notebooks = await enter(open_notebooks(database, drive, outputs, settings.notebooks))
        build = build_of(pages.static)
        rooms = await enter(open_rooms(database, notebooks, drive, accounts, news, settings.rooms, build, workers))
        notebooks.revisions.on_change.append(lambda notebook: rooms.tell(notebook, {"type": "revisions"}))
        comments = Comments(database, accounts, notifications, drive, rooms, settings.comments)
        drive.on_delete.append(comments.forget)
        engine, versions, hardware = await _machines(settings, stack)
        runtimes = await enter(open_runtimes(database, engine, versions, hardware, settings.runtimes, begin=False))
        sessions = await enter(
            open_sessions(
                db=database,
                documents=RoomDocuments(rooms),
                machines=LentMachines(runtimes, versions, settings.runtimes),
                blobs=await open_places(settings, "outputs/blobs"),
                authority=drive,
                folder=settings.data / "outputs/segments",
                settings=settings.sessions,
                begin=False,
            )
        )
        outputs.sessions = sessions
        planes = Planes(workers, sessions, tasks)
        rooms.beyond = planes.broadcast
        database.until_in_charge = planes.begun.wait
        stored = StoredOutputs(sessions)
        search = Search(database, matcher_of(settings.database))
        await enter(open_indexing(database, drive, search, stored))
        shelves = await enter(open_shelves(database, drive))
        copies = Copies(notebooks, stored)
        playgrounds = await enter(open_playgrounds(database, drive, copies, stored, news))
        trash = await enter(open_trash(database, drive))
        drive.on_delete.append(sessions.forget)
        drive.on_deleted.append(sessions.deleted)
        environments = NotebookEnvironments(sessions, drive)
        inside = open_inside(settings.data, sessions, runtimes, accounts, settings.inside)
        jupyter = await enter(
            open_jupyter_api(
                db=database,
                drive=drive,
                notebooks=notebooks,
                rooms=rooms,
                sessions=sessions,
                machines=LentRuntimes(runtimes),
                specs=VersionSpecs(versions, settings.runtimes.version),
                pages=SessionPages(sessions, drive),
                blobs=await open_places(settings, "checkpoints"),
                uploads=settings.data / "uploads",
                begin=False,
            )
        )

        async def lead() -> None:
            await workers.until_leading()
            await runtimes.begin(tasks)
            await sessions.begin()
            await jupyter.jupyter.begin()
            planes.begun.set()

        if workers.leads:
            await lead()
        else:
            tasks.start_soon(lead)
        yield House(
            settings=settings,
            database=database,
            workers=workers,
            planes=planes,
            accounts=accounts,
            groups=groups,
            notifications=notifications,
            drive=drive,
            shelves=shelves,
            search=search,
            trash=trash,
            copying=Copying(database, drive, copies),
            playgrounds=playgrounds,
            notebooks=notebooks,
            rooms=rooms,
            comments=comments,
            runtimes=runtimes,
            sessions=sessions,
            environments=environments,
            inside=inside,
            jupyter=jupyter,
        )


@asynccontextmanager
async def open_accounts_only(settings: Settings) -> AsyncIterator[Accounts]:
    """The accounts alone, for commands that may run beside a server."""
    async with (
        open_database(settings.database) as database,
        open_accounts(database, Argon2Passwords(), settings.accounts) as accounts,
    ):
        yield accounts


@asynccontextmanager
async def open_groups_only(settings: Settings) -> AsyncIterator[Groups]:
    """The groups alone, likewise."""
    async with (
        open_database(settings.database) as database,
        open_accounts(database, Argon2Passwords(), settings.accounts) as accounts,
    ):
        yield Groups(database, accounts, News())


async def open_places(settings: Settings, area: str) -> Blobs:
    """The place for the blobs of an area. Raises Unavailable if it cannot be used as it is set."""
    return await open_blobs(settings.blobs, settings.data, area, free_bytes_min=settings.drive.free_bytes_min)


async def _machines(settings: Settings, stack: AsyncExitStack) -> tuple[Engine, Environments, Accelerators]:
    if settings.engine == "none":
        return NoEngine(), NoEnvironments(), NoAccelerators()
    if settings.engine == "docker":
        # Only here: its client is not installed where nobody asked for it.
        from collegium.runtimes.docker import DockerEngine
        from collegium.runtimes.docker_image import DockerImages

        docker = await stack.enter_async_context(aclosing(DockerEngine(settings.docker, house=str(settings.data))))
        return docker, DockerImages(settings.environments, settings.docker.image), MachineAccelerators()
    hardware = MachineAccelerators()
    allow = may_be_given(known_accelerators(await hardware.found(), settings.runtimes))
    engine = LocalEngine(settings.data, environments=settings.environments, allow=allow)
    return engine, UvEnvironments(settings.environments), hardware


@asynccontextmanager
async def open_tasks() -> AsyncIterator[TaskGroup]:
    """What belongs to no part alone: cancelled at the end."""
    async with create_task_group() as tasks:
        try:
            yield tasks
        finally:
            tasks.cancel_scope.cancel()


async def _tell_shared(
    notifications: Notifications, principal: Principal, item: Item, role: Role, users: Sequence[UserId]
) -> None:
    occasion = Occasion(Told.SHARED, principal.user, item.id, item.kind, item.name, f"As {role}")
    await notifications.notify(occasion, users)


def create_app(house: House) -> FastAPI:
    """The doors of an open house: the API, the socket, the probes and the page."""
    app = FastAPI(
        title="Collegium", version=__version__, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None
    )
    add_problem_handlers(app)
    comparing = Comparing(house.notebooks, house.drive, Fetch(house.settings.fetch))
    for router in (
        accounts_routes.routes(house.accounts),
        groups_routes.routes(house.groups),
        preferences_routes.routes(Preferences(house.database)),
        notifications_routes.routes(house.notifications),
        drive_routes.routes(house.drive, house.accounts),
        shelf_routes.routes(
            house.drive,
            house.accounts,
            shelves=house.shelves,
            search=house.search,
            trash=house.trash,
            copying=house.copying,
        ),
        playground_routes.routes(house.playgrounds),
        info_routes.routes(house.database, house.notebooks, house.drive, house.accounts),
        notebooks_routes.routes(house.notebooks, house.drive),
        revision_routes.routes(house.notebooks, house.drive, house.accounts, comparing),
        restore_routes.routes(Restoring(house.rooms, house.notebooks.revisions), house.drive),
        rooms_routes.routes(house.rooms, house.notebooks, house.drive, house.planes),
        comments_routes.routes(house.comments),
        version_routes.routes(house.runtimes.environments, house.settings.runtimes.version),
        runtimes_routes.routes(house.runtimes, sessions_routes.notebooks_in(house.sessions), house.sessions.usable),
        sessions_routes.routes(house.sessions),
        sessions_routes.listing(house.sessions, house.runtimes),
        environment_routes.routes(house.environments),
        widget_routes.routes(house.sessions),
        looking_routes.routes(Looking(house.sessions)),
        executed_routes.routes(ExecutedCode(house.sessions)),
        inside_routes.routes(house.inside),
    ):
        app.include_router(router, prefix=API)
    app.include_router(jupyter_routes.routes(house.jupyter, house.accounts))
    metrics = probes.add_probes(app, ready=_readiness(house))
    metrics.registry.register(house.runtimes.numbers)
    add_pages(app, house.settings.pages.static, house.settings.data / "pages")
    streamed = (
        rf"{API}/(drive/files|diff|notebooks|notebooks/[^/]+/(content|widgets)|runtimes/[^/]+/files/[^/]+)|/jupyter/.*"
    )
    app.add_middleware(BodyLimit, streamed=streamed)
    app.add_middleware(accounts_routes.Authentication, accounts=house.accounts)
    app.add_middleware(QueryToken)
    app.add_middleware(Gate)
    app.add_middleware(probes.Meter, metrics=metrics)
    app.add_middleware(PortsDoor, inside=house.inside)
    return app


def open_doors(house: House) -> ASGIApp:
    """The doors of one of several processes: what another has to answer is passed on to it."""
    whose = Whose(house.workers, house.rooms, house.planes.begun, lambda host: house.inside.label_in(host) is not None)
    door = OwnerDoor(create_app(house), house.workers, whose)
    house.workers.ready.set()
    return door


def _readiness(house: House) -> Callable[[], Awaitable[dict[str, str]]]:
    async def ready() -> dict[str, str]:
        parts = {"database": "ok", "engine": "ok"}
        try:
            async with house.database.read() as tx:
                await tx.execute(select(1))
        except Unavailable as error:
            parts["database"] = error.detail
        except SQLAlchemyError as error:
            parts["database"] = type(error).__name__
        try:
            await house.runtimes.status()
        except Unavailable as error:
            parts["engine"] = error.detail
        return parts

    return ready
