"""``bridge crm login``: a person allows an application access, on a page that leads back to this machine."""

import asyncio
import webbrowser
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, NamedTuple

import click

from bridge.cli import options, screen
from bridge.cli.remotely import remotely

if TYPE_CHECKING:
    from aiohttp import web

PATIENCE = 300.0
"""Seconds that a person may take."""
PORT = 8765
DENIED = "access_denied"
"""What OAuth2 calls it when a person says no."""
LONGEST = 300
"""Characters of the page's own words that are told."""
ELSEWHERE = "name another, --port N, and add http://127.0.0.1:N/callback to the callback addresses of your application"
PAGE = "<!doctype html><meta charset=utf-8><title>bridge</title><p>{}</p>"


@click.command(short_help="Connect an application with an account, once.")
@click.option("--source", help="The source, where several have an API.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="Where the page leads to.")
@click.option("--paste", is_flag=True, help="Paste the address that the page led to: for a bridge elsewhere.")
@options.data
@options.routes
def command(source: str | None, port: int, data: Path, routes: Path, *, paste: bool) -> None:
    """Connect the application of `client_id` with an account of RD Station CRM, once.

    A page of RD Station opens on which you allow access. It leads back to http://127.0.0.1:PORT/callback, which has to
    stand among the callback addresses of your application. What it brings is kept encrypted in the data directory.
    """
    account = asyncio.run(_login(source, port, data, routes, paste=paste))
    screen.say(f"Connected with {screen.clean(account)}.")


async def _login(source: str | None, port: int, data: Path, routes: Path, *, paste: bool) -> str:
    redirect, state = f"http://127.0.0.1:{port}/callback", token_urlsafe(16)
    async with remotely(data, routes) as remote:
        page = (await remote.sign_in_page(source, redirect, state))["page"]
        screen.note(f"Allow access on this page:\n{page}")
        code = await asyncio.to_thread(_pasted, state) if paste else await _returned(page, port, state)
        return str((await remote.sign_in(source, code, redirect))["account"])


def _pasted(state: str) -> str:
    from yarl import URL

    pasted = click.prompt("Then paste the address that it led to, even if no page is there", err=True)
    try:
        query = URL(pasted.strip()).query
    except ValueError:  # no address at all
        query = URL().query
    if refusal := _refusal(query, state):
        raise click.ClickException(refusal)
    code = _code(query, state)
    if code is None:
        raise click.ClickException(f"{_not_it(query)}: run it again")
    return code


def _not_it(query: Mapping[str, str]) -> str:
    if "code" in query and "state" in query:
        return "this is where the page of an earlier login led to"
    return "this is not the address that the page led to, which begins with http and has code= and state= in it"


async def _returned(page: str, port: int, state: str) -> str:
    """Return the code that the browser comes back with; or end with the reason that it comes back with instead."""
    from aiohttp import web

    end: asyncio.Future[_Returned] = asyncio.get_running_loop().create_future()

    async def back(request: web.Request) -> web.Response:
        found = _Returned(_code(request.query, state), _refusal(request.query, state))
        if not any(found):
            return _page("This is not what bridge waits for. Run bridge crm login again.", 400)
        if not end.done():
            end.set_result(found)
        if found.refusal:
            return _page("Access was not allowed. You may close this page, and go back to bridge.", 200)
        return _page("Done. You may close this page, and go back to bridge.", 200)

    app = web.Application()
    app.router.add_get("/callback", back)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        webbrowser.open(page)
        code, refusal = await asyncio.wait_for(end, PATIENCE)
    except TimeoutError:
        raise click.ClickException("nobody allowed access within five minutes: run it again") from None
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used: {error.strerror}; {ELSEWHERE}") from error
    finally:
        await runner.cleanup()
    if code is None:
        raise click.ClickException(refusal or "")
    return code


class _Returned(NamedTuple):
    """What the browser comes back with: the code, or why there is none."""

    code: str | None
    refusal: str | None


def _code(query: Mapping[str, str], state: str) -> str | None:
    """Return a code that came back with the state that we gave: anybody's page may lead a browser here."""
    return (query.get("code") or None) if _is_ours(query, state) else None


def _refusal(query: Mapping[str, str], state: str) -> str | None:
    """Return why nobody allowed access, if the page led back with that; some services leave the state out then."""
    error = query.get("error", "")
    if not error or not ("state" not in query or _is_ours(query, state)):
        return None
    words = screen.clean(query.get("error_description") or error)[:LONGEST]
    meaning = "you did not allow access" if error == DENIED else "RD Station gives no access"
    return f"{meaning} ({words}): run it again"


def _is_ours(query: Mapping[str, str], state: str) -> bool:
    return compare_digest(query.get("state", "").encode(), state.encode())


def _page(text: str, status: int) -> "web.Response":
    from aiohttp import web

    return web.Response(text=PAGE.format(text), content_type="text/html", status=status)
