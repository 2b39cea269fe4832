"""What people do by the API of a source: see whether it answers, connect it, and look after its webhooks."""

from collections.abc import Sequence
from datetime import UTC, datetime

from yarl import URL

from bridge.component.remote import Address, Registration, Remote, Urgency
from bridge.component.source import AnySource
from bridge.control.host import Host
from bridge.control.shapes import Shape, moment
from bridge.errors import RemoteError, RequestRefusedError
from bridge.options import did_you_mean
from bridge.remote.repairing import Repairs
from bridge.remote.searching import Progress, Purpose
from bridge.remote.subscribing import Act, Done, Step, carry_out

UNKNOWN_ADDRESS = "start bridge, or set BRIDGE_PUBLIC_URL"
"""What to do where bridge does not know its own address."""


class RemoteOperations:
    """The operations that need a source's API; ``source`` may be left out where one source alone has one."""

    def __init__(self, host: Host) -> None:
        """Take the rules, the addresses and the APIs."""
        self._host = host
        self._subscriptions = host.subscriptions()

    async def status(self) -> Shape:
        """Tell for each source that has an API whether it answers, for whom, and which webhooks it has of ours.

        These are None where nobody can tell.
        """
        return {"sources": [await self._status(source) for source in self._sources()]}

    async def sign_in_page(self, source: str | None, redirect: str, state: str) -> Shape:
        """Return the page on which a person allows access.

        Raises:
            RequestRefusedError: the API of the source needs none (``no-sign-in``), or as ``webhooks``.
        """
        name, remote = self._named(source)
        page = remote.sign_in_page(redirect, state)
        if page is None:
            raise RequestRefusedError(f"the API of {name} is opened by its token: nothing is to be done", "no-sign-in")
        return {"source": name, "page": page}

    async def sign_in(self, source: str | None, code: str, redirect: str) -> Shape:
        """Take the code that the page led back with; return whose account it opened.

        Raises:
            RemoteError: the API refuses it.
        """
        name, remote = self._named(source)
        await remote.sign_in(code, redirect)
        return {"source": name, "account": await remote.identity()}

    async def webhooks(self, source: str | None = None) -> Shape:
        """List all registered webhooks; ``ours`` are those that post to this source, None where nobody can tell.

        Raises:
            RequestRefusedError: no source has an API (``no-api``), several have, or there is none of this name.
            RemoteError: the API refuses, or cannot be had.
        """
        name, remote = self._named(source)
        return {"source": name, "webhooks": [self._shape(each, name) for each in await remote.registrations()]}

    async def webhook(self, source: str | None, id_: str) -> Shape:
        """Return one registered webhook, as ``webhooks`` does.

        Raises:
            RequestRefusedError: the id is not registered (``unknown-id``), or as ``webhooks``.
        """
        name, remote = self._named(source)
        [found] = _chosen(await remote.registrations(), [id_])
        return {"source": name, **self._shape(found, name)}

    async def names(self, source: str | None, kinds: Sequence[str]) -> Shape:
        """Return all there are of kinds of which an account has few, such as its people and stages.

        Of no kinds there is nothing to ask, so whose account it is is asked for: an API that refuses has to say so.

        Raises:
            RequestRefusedError: as ``webhooks``.
            RemoteError: the API refuses, or cannot be had.
        """
        name, remote = self._named(source)
        if not kinds:
            await remote.identity()
        return {"source": name, "names": {kind: [*await remote.listed(kind, Urgency.PERSON)] for kind in kinds}}

    async def sync(self, source: str | None = None, *, dry_run: bool = False) -> Shape:
        """Have exactly the events posted that the rules need; return each step, and whether it failed.

        Raises:
            RequestRefusedError: the CRM could not reach the address (``no-public-url``), or as ``webhooks``.
            RemoteError: the registered webhooks cannot be listed.
        """
        name, remote = self._named(source)
        steps = await self._subscriptions.steps(name, remote)
        return _told(name, steps, None if dry_run else await self._subscriptions.take(steps, name, remote))

    async def update(self, source: str | None, ids: Sequence[str], *, dry_run: bool = False) -> Shape:
        """Give webhooks of ours the address and the header of today, and activate them: these, or without ids all.

        The API tells nobody which header a webhook carries, so ``sync`` cannot see that it is an old one.

        Raises:
            RequestRefusedError: an id is not registered (``unknown-id``) or not ours (``not-ours``), or as ``sync``.
        """
        name, remote = self._named(source)
        registered = await remote.registrations()
        ours = self._ours(registered, name)
        chosen = _chosen(registered, ids) or ours
        if other := next((each.id for each in chosen if each not in ours), None):
            raise RequestRefusedError(f'the webhook "{other}" posts to another system, and is left alone', "not-ours")
        steps = [Step(Act.UPDATE, each.event, each) for each in chosen]
        return _told(name, steps, None if dry_run else await self._subscriptions.take(steps, name, remote))

    async def delete(self, source: str | None, ids: Sequence[str], *, dry_run: bool = False) -> Shape:
        """Take webhooks away: those with these ids, whosever they are, or without ids all of ours.

        Raises:
            RequestRefusedError: an id is not registered (``unknown-id``), there are none and nobody can tell which are
                ours (``no-public-url``), or as ``webhooks``.
        """
        name, remote = self._named(source)
        registered = await remote.registrations()
        chosen = _chosen(registered, ids) or self._ours(registered, name)
        steps = [Step(Act.DELETE, each.event, each) for each in chosen]
        return _told(name, steps, None if dry_run else await carry_out(steps, remote, Address("")))

    async def repair(
        self, source: str | None = None, since: str | None = None, *, baseline: bool = False, deletions: bool = False
    ) -> Shape:
        """Begin to look for what was missed, or for how all entities are as a ``baseline``; return how far it is.

        Without ``since`` (ISO 8601) the gap begins at the last event. With ``deletions`` all that was deleted is looked
        for, however many requests it takes. One that is under way goes on, and is returned.

        Raises:
            RequestRefusedError: ``since`` is no time (``bad-filter``), or as ``webhooks``.
        """
        name, _ = self._named(source)
        begin, purpose = None if since is None else _moment(since), Purpose.IMPORT if baseline else Purpose.REPAIR
        return _progress_shape(self._repairs().start(name, purpose, begin, thorough=deletions))

    async def progress(self, source: str | None = None) -> Shape:
        """Tell how far the last repair or import of a source is, or how it ended.

        Raises:
            RequestRefusedError: there was none (``no-repair``), or as ``webhooks``.
        """
        name, _ = self._named(source)
        progress = self._repairs().progress(name)
        if progress is None:
            raise RequestRefusedError(f"nothing of {name} was repaired or imported since the start", "no-repair")
        return _progress_shape(progress)

    def _repairs(self) -> Repairs:
        if self._host.repairs is None:
            raise RequestRefusedError("there is no store to repair", "no-daemon")
        return self._host.repairs

    def _sources(self) -> dict[str, AnySource]:
        rules = self._host.rules()
        return {name: source for name, source in rules.sources.items() if self._host.remote(name)}

    async def _status(self, name: str) -> Shape:
        _, remote = self._named(name)
        try:
            account, registered = await remote.identity(), await remote.registrations()
        except RemoteError as error:
            return {"name": name, "account": None, "error": str(error), "webhooks": {}, "requests_left": remote.left}
        ours = [each.status for each in self._ours(registered, name)] if self._knows_ours(name) else None
        counts = None if ours is None else {status: ours.count(status) for status in dict.fromkeys(ours)}
        return {"name": name, "account": account, "error": None, "webhooks": counts, "requests_left": remote.left}

    def _named(self, source: str | None) -> tuple[str, Remote]:
        names = list(self._sources())
        if not names:
            reason = "no source has an `api` in the rules: give it a token, or client_id and client_secret"
            raise RequestRefusedError(reason, "no-api")
        if source is None and len(names) > 1:
            raise RequestRefusedError(f"several sources have an API, name one: {', '.join(names)}", "unknown-source")
        remote = self._host.remote(name := source or names[0])
        if remote is None:
            hint = did_you_mean(name, names)
            raise RequestRefusedError(f'no source "{name}" has an `api`; {hint}'.rstrip("; "), "unknown-source")
        return name, remote

    def _ours(self, registered: Sequence[Registration], name: str) -> list[Registration]:
        if not self._knows_ours(name):
            raise RequestRefusedError(f"which webhooks are ours cannot be told: {UNKNOWN_ADDRESS}", "no-public-url")
        return [each for each in registered if self._subscriptions.is_ours(each, name)]

    def _knows_ours(self, name: str) -> bool:
        """Tell whether it is known which webhooks are ours: no daemon may run, and no public address be set."""
        return self._subscriptions.ours(name) is not None

    def _shape(self, registered: Registration, name: str) -> Shape:
        return {
            "id": registered.id,
            "event": registered.event,
            "status": registered.status,
            "ours": self._subscriptions.is_ours(registered, name) if self._knows_ours(name) else None,
            "url": _shown(registered.url, self._subscriptions.ours(name)),
        }


def _chosen(registered: Sequence[Registration], ids: Sequence[str]) -> list[Registration]:
    known = {each.id: each for each in registered}
    if missing := next((id_ for id_ in ids if id_ not in known), None):
        raise RequestRefusedError(
            f'no webhook "{missing}" is registered; what is: bridge crm webhooks list', "unknown-id"
        )
    return [known[id_] for id_ in ids]


def _told(name: str, steps: Sequence[Step], done: Sequence[Done] | None) -> Shape:
    """Return what came of steps, or the steps alone, if nothing was done."""
    told = map(Done, steps) if done is None else done
    return {"source": name, "dry_run": done is None, "steps": [_done_shape(each) for each in told]}


def _done_shape(done: Done) -> Shape:
    registered = done.step.registered
    return {
        "act": done.step.act,
        "event": done.step.event,
        "id": registered.id if registered else None,
        "status": registered.status if registered else None,
        "error": done.error,
    }


def _progress_shape(progress: Progress) -> Shape:
    return {
        "source": progress.source,
        "purpose": progress.purpose,
        "since": moment(progress.since),
        "began_at": moment(progress.began_at),
        "ended_at": moment(progress.ended_at),
        "looked": dict(progress.looked),
        "added": progress.added,
        "deleted": progress.deleted,
        "unsure": dict(progress.unsure),
        "error": progress.error,
    }


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RequestRefusedError(f'"{text}" is no time', "bad-filter") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _shown(address: str, base: str | None) -> str:
    """Return an address without what may open it: all that follows ours, or the host of another."""
    if base and f"{address}/".startswith(f"{base}/"):
        return base if address == base else f"{base}/***"
    try:
        url = URL(address)
        return str(url.origin()) if url.path in {"", "/"} else f"{url.origin()}/***"
    except ValueError:
        return "***"
