import asyncio

from bridge.component.remote import Urgency
from bridge.rdstation.api.budget import Budget


class Time:
    """A clock that the test moves, and the loop's timers with it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_as_many_as_the_api_allows_go_at_once_and_the_next_waits() -> None:
    budget = Budget(most=3)
    for _ in range(3):
        await budget.spend(Urgency.MESSAGE)
    assert budget.left == 0
    waiting = asyncio.ensure_future(budget.spend(Urgency.MESSAGE))
    await _turns()
    assert not waiting.done()
    waiting.cancel()


async def test_what_was_spent_a_minute_ago_counts_no_more() -> None:
    time = Time()
    budget = Budget(most=1, now=time)
    await budget.spend(Urgency.MESSAGE)
    time.now = 62.9
    assert budget.left == 0
    time.now = 63
    assert budget.left == 1
    await asyncio.wait_for(budget.spend(Urgency.MESSAGE), 1)


async def test_the_most_urgent_goes_first_however_late_it_came() -> None:
    budget = Budget(most=1, window=0.05)
    await budget.spend(Urgency.MESSAGE)
    order: list[Urgency] = []

    async def spend(urgency: Urgency) -> None:
        await budget.spend(urgency)
        order.append(urgency)

    async with asyncio.TaskGroup() as tasks:
        for urgency in (Urgency.PERSON, Urgency.MESSAGE):
            tasks.create_task(spend(urgency))
    assert order == [Urgency.MESSAGE, Urgency.PERSON]


async def test_repair_leaves_something_for_whoever_is_more_urgent() -> None:
    budget = Budget(most=10)
    for _ in range(6):
        await budget.spend(Urgency.REPAIR)
    waiting = asyncio.ensure_future(budget.spend(Urgency.REPAIR))
    await _turns()
    assert not waiting.done()
    await asyncio.wait_for(budget.spend(Urgency.PERSON), 1)
    await asyncio.wait_for(budget.spend(Urgency.MESSAGE), 1)
    waiting.cancel()


async def test_nothing_goes_while_the_api_asked_for_time() -> None:
    budget = Budget(most=10)
    budget.close(0.05)
    budget.close(0.01)
    assert budget.left == 0
    began = asyncio.get_running_loop().time()
    await budget.spend(Urgency.MESSAGE)
    assert asyncio.get_running_loop().time() - began >= 0.04


async def test_who_gave_up_costs_nothing() -> None:
    budget = Budget(most=1, window=0.05)
    await budget.spend(Urgency.MESSAGE)
    gone = asyncio.ensure_future(budget.spend(Urgency.MESSAGE))
    await _turns()
    gone.cancel()
    await asyncio.wait_for(budget.spend(Urgency.PERSON), 1)
