"""The daemon: the composition root. Everything is made, joined and ended here."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress

from aiohttp import web

from bridge import telemetry
from bridge.app import logs
from bridge.app.banner import Started
from bridge.app.capacity import Capacity, Room
from bridge.app.reloader import Reloader
from bridge.app.repairer import Repairer
from bridge.app.server import Servers
from bridge.app.settings import Settings
from bridge.app.subscriber import Subscriber
from bridge.app.watch import Watch
from bridge.component.client import Client
from bridge.control import api, remote_api
from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.delivery.announcer import EventAnnouncer
from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.fleet import Fleet
from bridge.delivery.monitor import Growth, Monitor, Silences
from bridge.delivery.pruner import Pruner
from bridge.delivery.rescuer import Rescuer
from bridge.delivery.timekeeper import Timekeeper
from bridge.delivery.wake import Bell
from bridge.errors import StoreError
from bridge.feeds.handlers import Feeds
from bridge.ingest.handlers import Ingest
from bridge.ingest.secretbook import FOLDER, SecretBook
from bridge.model import Clock, JsonObject
from bridge.options import secrets_in
from bridge.remote.connections import Remotes
from bridge.remote.looking_up import LookUp
from bridge.remote.repairing import Repairs
from bridge.remote.searching import Progress
from bridge.remote.warming import Warmer
from bridge.ruleset import Ruleset
from bridge.store.sqlite import open_store

CERTIFICATE_EVERY = 60.0
"""Seconds between looks at the certificate files."""


class Daemon:
    """One run of the daemon: everything it is made of, until it is told to stop."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], clock: Clock) -> None:
        """Make what needs neither files nor sockets; ``environ`` is what rules may name."""
        self._settings = settings
        self._clock = clock
        self._secrets = SecretBook(settings.data)
        self._bells: list[Bell] = []
        self._announcer = EventAnnouncer(clock, lambda: self._capacity.backlog)
        self.reloader = Reloader(settings.routes, environ, clock, self._adopt, self._announcer)

    async def run(self, stop: asyncio.Event, ready: Callable[[Started], None]) -> None:
        """Run until ``stop`` is set, then drain: answer and finish what has begun, and begin nothing.

        Raises:
            InvalidConfigurationError: the rules are broken, and there are no older ones to run on.
            StoreError: the data directory cannot be used.
            SettingsError: it cannot listen where it should.
        """
        self._started_at = self._clock.now()
        await self.reloader.load()
        async with AsyncExitStack() as stack:
            self._store = await open_store(self._settings.data, self._clock)
            stack.push_async_callback(self._store.close)
            http = await stack.enter_async_context(Client(self._clock))
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            self._remotes = Remotes(http, self._settings.data / FOLDER)
            self._fleet = Fleet(self._store, http, self._clock, tasks, self._announcer)
            await self._serve(stop, ready, tasks)

    async def _serve(self, stop: asyncio.Event, ready: Callable[[Started], None], tasks: asyncio.TaskGroup) -> None:
        self._make_services()
        self._make_way_in()
        await self._take_up()
        public = [*self._ingest.routes(), *self._feeds.routes()]
        async with Servers(self._settings, public, self._readiness) as servers:
            endless = [tasks.create_task(work, name=name) for name, work in self._work(servers).items()]
            await servers.start(self._control)
            endless += [tasks.create_task(work, name=name) for name, work in self._outward(servers.url).items()]
            _keep_what_is_made()
            telemetry.daemon_started(servers.url, self.reloader.ruleset.revision)
            ready(self._introduction(servers))
            await stop.wait()
            telemetry.daemon_stopping()
        for task in endless:
            task.cancel()
        await self._repairs.close()
        await self._finish()

    def _make_services(self) -> None:
        """Make what looks after the store, each in its own time."""
        settings, store, clock = self._settings, self._store, self._clock
        room = Room(settings.backlog_limit, settings.store_limit, settings.disk_reserve)
        self._capacity = Capacity(store, settings.data, room, clock)
        self._pruner = Pruner(store, clock, settings.keep_events, settings.keep_bodies)
        self._rescuer = Rescuer(store, lambda: tuple(self.reloader.ruleset.targets), self._fleet.held, self._fleet.ring)
        self._repairs = Repairs(
            store,
            lambda: self.reloader.ruleset,
            self._remotes.get,
            clock,
            settings.data / FOLDER,
            ring=lambda: self._dispatcher.bell.ring(),  # noqa: PLW0108 (it is made later)
            no_room=lambda: self._capacity.no_room,
            ended=_tell_repaired,
        )
        self._repairer = Repairer(self._repairs, lambda: self.reloader.ruleset, clock)
        self._monitor = Monitor(
            store,
            Growth(self._announcer, lambda: self._capacity.backlog, settings.backlog_alarm),
            Silences(store, clock, self._announcer, lambda: self.reloader.ruleset.sources),
        )

    def _make_way_in(self) -> None:
        """Make the way of an event from the CRM to its deliveries."""
        self._look_up = LookUp(
            lambda: self.reloader.ruleset.sources, self._remotes.get, self._store.last_state, self._clock
        )
        self._warmer = Warmer(self._look_up, self._remotes, lambda: self.reloader.ruleset)
        self._dispatcher = Dispatcher(
            self._store,
            lambda: self.reloader.ruleset,
            self._fleet.ring,
            self._clock,
            lambda: self._ingest.busy,
            self._announcer,
            look_up=self._look_up.find,
        )
        self._timekeeper = Timekeeper(
            self._store,
            lambda: self.reloader.ruleset,
            self._fleet.ring,
            self._clock,
            self._announcer,
            self._look_up.find,
        )
        self._ingest = Ingest(
            sources=lambda: self.reloader.ruleset.sources,
            secrets=self._secrets,
            store=self._store,
            clock=self._clock,
            on_stored=self._dispatcher.bell.ring,
            no_room=lambda: self._capacity.turns_away,
            body_limit=self._settings.body_limit,
            body_timeout=self._settings.body_timeout,
        )
        self._feeds = Feeds(lambda: self.reloader.ruleset.targets, self._store, self._clock)

    async def _take_up(self) -> None:
        """Go on where the last run ended, however it did; the first rules come into force."""
        await self._capacity.look()
        await self._announcer.start(self._store)
        self.reloader.start()
        await self._rescuer.step(everything=True)
        await self._repairer.note()

    def _work(self, servers: Servers) -> dict[str, Coroutine[object, object, None]]:
        """Return what is done until the end, by the names of its tasks."""
        return {
            "dispatcher": self._dispatcher.run(),
            "timekeeper": self._timekeeper.run(),
            "rescuer": self._rescuer.run(),
            "reloader": self.reloader.run(),
            "capacity": self._capacity.run(),
            "pruner": self._pruner.run(),
            "warmer": self._warmer.run(),
            "announcer": self._announcer.run(self._store, self._dispatcher.bell.ring),
            "monitor": self._monitor.run(),
            "certificate": _keep_certificate(servers),
        }

    def _outward(self, url: str) -> dict[str, Coroutine[object, object, None]]:
        """Return what asks the APIs of the sources until the end: the CRM looks whether we answer, so we listen."""
        subscriptions = self._host(url).subscriptions()
        rules, repairer = lambda: self.reloader.ruleset, self._repairer
        subscriber = Subscriber(subscriptions, self._remotes, rules, self._clock, repairer.ask)
        watch = Watch(
            subscriptions=subscriptions,
            remotes=self._remotes,
            rules=rules,
            store=self._store,
            announce=self._announcer,
            repairer=repairer,
            clock=self._clock,
        )
        self._bells.append(subscriber.bell)
        return {"subscriber": subscriber.run(), "repairer": repairer.run(subscriber.tried), "watch": watch.run()}

    async def _finish(self) -> None:
        """Let what is under way end, and store what is left to be told."""
        await self._fleet.drain(self._settings.drain_seconds)
        with suppress(StoreError):  # what was not stored by now is in the log
            await self._announcer.step(self._store, early=True)
        telemetry.daemon_stopped()

    def _adopt(self, ruleset: Ruleset) -> None:
        """Put a ruleset into force, wherever something depends on it: first what can fail, then what cannot."""
        self._secrets.adopt(ruleset.sources)
        options = [source.options for source in ruleset.sources.values()]
        options += [target.options for target in ruleset.targets.values()]
        logs.keep_secret(*self._secrets.everything(), *secrets_in(options))
        self._remotes.adopt(ruleset.sources)
        self._fleet.adopt(ruleset.targets)
        self._rescuer.bell.ring()
        self._warmer.bell.ring()
        for bell in self._bells:
            bell.ring()

    def _control(self, url: str) -> list[web.RouteDef]:
        operations = Operations(self._store, self._host(url), self._clock)
        return [*api.routes(operations), *remote_api.routes(operations.remote)]

    def _host(self, url: str) -> Host:
        return Host(
            current=lambda: self.reloader.ruleset,
            paths=self._secrets.paths,
            headers=self._secrets.headers,
            public_url=self._settings.public_url,
            local_url=url,
            reload=self.reloader.reload,
            problems=lambda: self.reloader.problems,
            no_room=lambda: self._capacity.no_room,
            ring=self._fleet.ring,
            hold=self._fleet.hold,
            announce=self._announcer.target_held,
            started_at=self._started_at,
            remote=self._remotes.get,
            look_up=self._look_up.find,
            repairs=self._repairs,
        )

    async def _readiness(self) -> tuple[bool, JsonObject]:
        """Tell what was seen at the last look: whoever asks, and however often, costs the store nothing."""
        backlog, rules, reason = self._capacity.backlog, self.reloader, self._capacity.unready
        facts: JsonObject = {
            "revision": rules.ruleset.revision,
            "rules_refused": bool(rules.problems),
            "events_waiting": backlog.events_received,
            "deliveries_waiting": backlog.deliveries_waiting,
            "deliveries_dead": backlog.deliveries_dead,
        }
        return reason is None, {"reason": reason, **facts} if reason else facts

    def _introduction(self, servers: Servers) -> Started:
        ruleset = self.reloader.ruleset
        return Started(
            url=servers.url,
            addresses={name: self._shown_address(name, servers) for name in ruleset.sources},
            rules=self._settings.routes,
            routes=len(ruleset.routes),
            data=self._settings.data,
            subscribed=frozenset(name for name, source in ruleset.sources.items() if source.subscribes),
        )

    def _shown_address(self, source: str, servers: Servers) -> str | None:
        """Return the address of a source, unless it holds a secret that the user chose."""
        if not (self._secrets.made(source) or self._secrets.headers(source)):
            return None
        base = self._settings.public_url or servers.url
        return base + self._secrets.paths(source)[0]


def _tell_repaired(ended: Progress) -> None:
    telemetry.gap_repaired(ended.source, ended.purpose, ended.looked, ended.added, ended.unsure, ended.error)


def _keep_what_is_made() -> None:
    """Look through rules, templates and modules no more for what is to be freed: that would stall webhooks."""
    gc.collect()
    gc.freeze()


async def _keep_certificate(servers: Servers) -> None:
    while servers.certificate:
        await asyncio.sleep(CERTIFICATE_EVERY)
        servers.certificate.refresh()
