"""`/jupyter`: the REST interface of Jupyter Server, and the sockets of its kernels."""

import json
import mimetypes
import secrets
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.websockets import WebSocket

from collegium.accounts.model import Principal, color_of
from collegium.accounts.service import Accounts, signed_in
from collegium.ground.errors import Forbidden, Invalid, NotFound
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.jupyter import contents_routes, sockets, terminals
from collegium.jupyter.building import JupyterApi
from collegium.jupyter.door import PREFIX, JupyterRoute, body_of, object_in, text_in, who
from collegium.jupyter.live import LiveKernel
from collegium.jupyter.model import DEFAULT_KERNEL, SERVER_VERSION, Session, id_of, spec_shown, time_of, uuid_of
from collegium.jupyter.service import Jupyter

API = PREFIX + "/api"
BODY_BYTES_MAX = 1 << 20
ENV_MAX = 64
ENV_LENGTH_MAX = 4096
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Collegium</title>
<p>This is the address for Jupyter clients: give it to yours together with a token, which you make on
<a href="/account">your account's page</a>. The notebooks themselves are <a href="/">here</a>.</p></html>"""

Who = Annotated[Principal, Depends(who)]


def routes(api: JupyterApi, accounts: Accounts) -> APIRouter:
    """All of it. What is not known is answered here as well, in Jupyter's words."""
    jupyter = api.jupyter
    router = APIRouter(route_class=JupyterRoute, include_in_schema=False)
    router.include_router(_pages())
    router.include_router(_server_routes(jupyter))
    router.include_router(_kernelspec_routes(jupyter))
    router.include_router(_kernel_routes(jupyter))
    router.include_router(_session_routes(jupyter))
    router.include_router(terminals.routes(terminals.Terminals(jupyter), accounts))
    router.include_router(contents_routes.routes(api.contents, api.checkpoints))

    @router.websocket(API + "/kernels/{id}/channels")
    async def kernel_channels(websocket: WebSocket, id: str) -> None:
        await sockets.visit(websocket, id, jupyter, accounts)

    @router.api_route(PREFIX + "/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], response_model=None)
    async def unknown(rest: str, request: Request) -> Response:
        signed_in(request)
        raise NotFound("There is nothing here.")

    return router


def _pages() -> APIRouter:
    router = APIRouter(route_class=JupyterRoute)

    @router.get(PREFIX, response_class=HTMLResponse)
    @router.get(PREFIX + "/", response_class=HTMLResponse)
    @router.get(PREFIX + "/tree", response_class=HTMLResponse)
    @router.get(PREFIX + "/lab", response_class=HTMLResponse)
    @router.get(PREFIX + "/login", response_class=HTMLResponse)
    async def page(request: Request) -> Response:
        answer = HTMLResponse(PAGE)
        # Clients send it back with what they change. What protects is `ground.http.Gate`; they only expect to get one.
        secure = request.url.scheme == "https"
        answer.set_cookie("_xsrf", secrets.token_hex(16), path=PREFIX, secure=secure, samesite="lax")
        return answer

    return router


def _server_routes(jupyter: Jupyter) -> APIRouter:
    router = APIRouter(route_class=JupyterRoute, prefix=API)

    @router.get("")
    @router.get("/")
    async def read_version() -> dict[str, str]:
        return {"version": SERVER_VERSION}

    @router.get("/me")
    async def read_me(principal: Who, permissions: str = "{}") -> dict[str, Any]:
        identity = {
            "username": principal.email,
            "name": principal.name,
            "display_name": principal.name,
            "initials": "".join(word[0] for word in principal.name.split()[:2]).upper(),
            "avatar_url": None,
            "color": color_of(principal.user),
        }
        return {"identity": identity, "permissions": _permissions(permissions)}

    @router.get("/status")
    async def read_status(principal: Who) -> dict[str, Any]:
        kernels = await jupyter.kernels(principal)
        latest = max([jupyter.started_at, *(kernel.last_activity for kernel in kernels)])
        return {
            "started": time_of(jupyter.started_at),
            "last_activity": time_of(latest),
            "connections": sum(kernel.connections for kernel in kernels),
            "kernels": len(kernels),
        }

    @router.get("/config/{section}")
    async def read_config(section: str, principal: Who) -> dict[str, Any]:
        return {}

    @router.patch("/config/{section}")
    async def change_config(section: str, principal: Who) -> None:
        raise Forbidden("Settings of clients are not kept here.")

    return router


def _permissions(text: str) -> dict[str, list[str]]:
    """What was asked about and is allowed: all of it, since it is one's own."""
    try:
        wanted = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("permissions should be a JSON object") from error
    if not isinstance(wanted, dict) or not all(
        isinstance(actions, list) and all(isinstance(action, str) for action in actions) for actions in wanted.values()
    ):
        raise Invalid("permissions should be an object with lists of actions")
    known = ("read", "write", "execute")
    return {resource: [one for one in actions if one in known] for resource, actions in wanted.items()}


def _kernelspec_routes(jupyter: Jupyter) -> APIRouter:
    router = APIRouter(route_class=JupyterRoute)
    base = PREFIX + "/kernelspecs"

    @router.get(API + "/kernelspecs")
    async def list_kernelspecs(principal: Who) -> dict[str, Any]:
        specs = await jupyter.specs.all()
        default = DEFAULT_KERNEL if DEFAULT_KERNEL in specs or not specs else next(iter(specs))
        return {"default": default, "kernelspecs": {name: spec_shown(spec, base) for name, spec in specs.items()}}

    @router.get(API + "/kernelspecs/{name}")
    async def read_kernelspec(name: str, principal: Who) -> dict[str, Any]:
        specs = await jupyter.specs.all()
        if name not in specs:
            raise NotFound(f"Kernel spec {name[:100]} not found")
        return spec_shown(specs[name], base)

    @router.get(base + "/{name}/{file}")
    async def read_resource(name: str, file: str, principal: Who) -> Response:
        specs = await jupyter.specs.all()
        if name not in specs:
            raise NotFound(f"Kernel spec {name[:100]} not found")
        content = await jupyter.specs.resource(specs[name], file)
        kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers={"Content-Security-Policy": USER_CONTENT_POLICY})

    return router


def _kernel_routes(jupyter: Jupyter) -> APIRouter:
    router = APIRouter(route_class=JupyterRoute, prefix=API + "/kernels")

    @router.get("")
    async def list_kernels(principal: Who) -> list[dict[str, Any]]:
        return [kernel_shown(kernel) for kernel in await jupyter.kernels(principal)]

    @router.post("")
    async def start_kernel(request: Request, principal: Who) -> Response:
        body = await body_of(request, BODY_BYTES_MAX)
        kernel = await jupyter.start(principal, text_in(body, "name"), _variables(object_in(body, "env")))
        return _made(kernel_shown(kernel), f"{API}/kernels/{uuid_of(kernel.id)}")

    @router.get("/{id}")
    async def read_kernel(id: str, principal: Who) -> dict[str, Any]:
        return kernel_shown(await jupyter.kernel(principal, id_of(id)))

    @router.delete("/{id}", status_code=204)
    async def shut_down_kernel(id: str, principal: Who) -> None:
        await jupyter.shut_down(principal, id_of(id))

    @router.post("/{id}/interrupt", status_code=204)
    async def interrupt_kernel(id: str, principal: Who) -> None:
        await jupyter.interrupt(principal, id_of(id))

    @router.post("/{id}/restart")
    async def restart_kernel(id: str, principal: Who) -> Response:
        kernel = await jupyter.restart(principal, id_of(id))
        return _made(kernel_shown(kernel), f"{API}/kernels/{uuid_of(kernel.id)}", status=200)

    return router


def _session_routes(jupyter: Jupyter) -> APIRouter:
    router = APIRouter(route_class=JupyterRoute, prefix=API + "/sessions")

    @router.get("")
    async def list_sessions(principal: Who) -> list[dict[str, Any]]:
        return [session_shown(session, kernel) for session, kernel in await jupyter.sessions(principal)]

    @router.post("")
    async def create_session(request: Request, principal: Who) -> Response:
        body = await body_of(request, BODY_BYTES_MAX)
        old = object_in(body, "notebook")
        path = text_in(body, "path") or text_in(old, "path") or text_in(old, "name")
        type = text_in(body, "type") or ("notebook" if old else None)
        if path is None or type is None:
            raise Invalid("Missing field in JSON data: path or type")
        wanted = object_in(body, "kernel")
        session, kernel = await jupyter.create_session(
            principal,
            path=path,
            name=text_in(body, "name") or "",
            type=type,
            kernel_name=text_in(wanted, "name"),
            kernel_id=_kernel_id(text_in(wanted, "id")),
        )
        return _made(session_shown(session, kernel), f"{API}/sessions/{uuid_of(session.id)}")

    @router.get("/{id}")
    async def read_session(id: str, principal: Who) -> dict[str, Any]:
        return session_shown(*await jupyter.session(principal, id_of(id)))

    @router.patch("/{id}")
    async def change_session(id: str, request: Request, principal: Who) -> dict[str, Any]:
        body = await body_of(request, BODY_BYTES_MAX)
        if body is None:
            raise Invalid("No JSON data provided")
        wanted = object_in(body, "kernel")
        changed = await jupyter.change_session(
            principal,
            id_of(id),
            path=text_in(body, "path") or text_in(object_in(body, "notebook"), "path"),
            name=text_in(body, "name"),
            type=text_in(body, "type"),
            kernel_name=text_in(wanted, "name"),
            kernel_id=_kernel_id(text_in(wanted, "id")),
        )
        return session_shown(*changed)

    @router.delete("/{id}", status_code=204)
    async def delete_session(id: str, principal: Who) -> None:
        await jupyter.delete_session(principal, id_of(id))

    return router


def _kernel_id(text: str | None) -> str | None:
    return None if not text else id_of(text) or text


def _made(shown: dict[str, Any], where: str, *, status: int = 201) -> Response:
    return JSONResponse(shown, status, headers={"Location": quote(where)})


def _variables(wanted: dict[str, Any]) -> dict[str, str]:
    """What a gateway's client wants in the kernel's environment, without what is meant for the gateway itself."""
    kept = {key: value for key, value in wanted.items() if not key.startswith("KERNEL_")}
    if len(kept) > ENV_MAX:
        raise Invalid("Too many environment variables.")
    for key, value in kept.items():
        if not isinstance(value, str) or not key or "=" in key or "\0" in key + value:
            raise Invalid("This is no environment variable.")
        if len(key) + len(value) > ENV_LENGTH_MAX:
            raise Invalid("An environment variable is too long.")
    return kept


def kernel_shown(kernel: LiveKernel) -> dict[str, Any]:
    """Jupyter's model of a kernel."""
    return {
        "id": uuid_of(kernel.id),
        "name": kernel.spec,
        "last_activity": time_of(kernel.last_activity),
        "execution_state": kernel.state,
        "connections": kernel.connections,
    }


def session_shown(session: Session, kernel: LiveKernel) -> dict[str, Any]:
    """Jupyter's model of a session; `notebook` is what clients before 2016 read."""
    shown: dict[str, Any] = {"id": uuid_of(session.id), "path": session.path, "name": session.name}
    shown |= {"type": session.type, "kernel": kernel_shown(kernel)}
    if session.type == "notebook":
        shown["notebook"] = {"path": session.path, "name": session.name}
    return shown
