"""The webhooks of the sources, as the rules want them: where they post to, whose they are, and how to get there."""

from collections.abc import Callable, Mapping, Sequence

from bridge.component.remote import Address, Registration, Remote
from bridge.errors import RequestRefusedError
from bridge.options import Secret
from bridge.remote.subscribing import Done, Step, carry_out, events_wanted, is_below, plan
from bridge.ruleset import Ruleset


class Subscriptions:
    """Knows the addresses of this bridge, and has webhooks registered for them."""

    def __init__(
        self,
        rules: Callable[[], Ruleset],
        paths: Callable[[str], Sequence[str]],
        headers: Callable[[str], Mapping[str, str]],
        public_url: str | None,
        local_url: str | None,
    ) -> None:
        """Take the rules, how each source is opened, and what goes before it: from outside, and from this machine."""
        self._rules = rules
        self._paths = paths
        self._headers = headers
        self._public_url = public_url
        self._local_url = local_url

    def wanted(self, source: str) -> frozenset[str]:
        """Return the events that webhooks of a source have to bring."""
        return events_wanted(self._rules(), self._rules().sources[source])

    async def steps(self, source: str, remote: Remote) -> tuple[Step, ...]:
        """Return what is to be done so that exactly these events come.

        Raises:
            RequestRefusedError: the CRM could not reach the address (``no-public-url``).
            RemoteError: the registered webhooks cannot be listed.
        """
        address, ours = self._address(source, remote), f"{self._base(remote)}/hooks/{source}"
        return plan(self.wanted(source), await remote.registrations(), address, ours)

    async def take(self, steps: Sequence[Step], source: str, remote: Remote) -> tuple[Done, ...]:
        """Take these steps; each may fail by itself."""
        return await carry_out(steps, remote, self._address(source, remote))

    def ours(self, source: str) -> str | None:
        """Return how the addresses of a source begin, if bridge knows its own."""
        base = self._public_url or self._local_url
        return base and f"{base}/hooks/{source}"

    def is_ours(self, registered: Registration, source: str) -> bool:
        """Tell whether a webhook posts to a source."""
        ours = self.ours(source)
        return ours is not None and is_below(registered.url, ours)

    def _address(self, source: str, remote: Remote) -> Address:
        header = next(((field, Secret(key)) for field, key in self._headers(source).items()), None)
        return Address(self._base(remote) + self._paths(source)[0], header)

    def _base(self, remote: Remote) -> str:
        base = self._public_url or (self._local_url if remote.near else None)
        if base is None:
            reason = "the CRM has to reach bridge from outside: set BRIDGE_PUBLIC_URL to the address it has there"
            raise RequestRefusedError(reason, "no-public-url")
        return base
