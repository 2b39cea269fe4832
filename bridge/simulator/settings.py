"""What can be set of the simulated CRM."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """How the team lives, how its webhooks travel, and what its APIs take. Shares are from 0 to 1."""

    seed: int = 1
    """Whose life is told: the same seed, the same life."""
    deals: int = 40
    """How many deals are open at the beginning, and about how many stay so."""
    events_per_hour: float = 600.0
    speed: float = 1.0
    """Virtual seconds that pass in a real one, while it runs by itself."""

    duplicates: float = 0.0
    """The share of events that are posted again under another uuid, once or twice within 0.3 s."""
    reordered: float = 0.0
    """The share of events that are posted some seconds late, so that younger ones overtake them."""
    updated_after_created: bool = False
    """Whether a deal's creation is also posted as an update with the same uuid, as an older page of the CRM says."""
    deadline: float = 5.0
    """Real seconds in which a webhook has to be answered."""
    retries: int = 5
    retry_spacing: timedelta = timedelta(minutes=1)
    """Before the first retry; twice as long before each further one."""
    suspend_after: int = 50
    """Failures in a row, of one address, after which its webhooks are suspended."""
    probe: bool = True
    """Whether an address has to answer an empty body before a webhook is made or changed."""

    token: str = "simulated"  # noqa: S105 (nobody's secret: the default of a stand-in)
    """The token of API v1. With ``-seller`` behind it, it is that of a person who sees their own deals alone."""
    client_id: str = "simulated"
    client_secret: str = "simulated"  # noqa: S105 (the same)
    requests_per_minute: int = 120
    """How many requests both APIs take together; 0 for any number."""
    ceiling: int = 10_000
    """How many records of a list can be reached."""
    errors: float = 0.0
    """The share of requests that are answered by an error 500 in HTML."""
    unsteady: float = 0.0
    """The share of rows that each request for a page of API v2 finds in another place, and so misses or doubles."""
    tasks_by_time: bool = True
    """Whether API v2 can filter tasks by ``updated_at``; one client reports that the CRM answers 500."""
