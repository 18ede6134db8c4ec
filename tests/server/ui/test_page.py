"""Test what the page asks of Gradio."""

import asyncio

import pytest

from gan.ui.api.waking_queue import IDLE
from gan.ui.page import build_page


@pytest.fixture(scope="module")
def queue(services):
    return build_page(services)._queue


LOOPS = [("start_processing", "wait_for"), ("start_progress_updates", "sleep")]


@pytest.mark.parametrize(("loop", "waits"), LOOPS)
def test_gradios_queue_looks_for_events_rarely(loop, waits, queue, monkeypatch):
    """With Gradio's own pause of a millisecond, a server without a visitor took 9 % of a core."""
    pauses = []

    async def wait(*arguments):
        if waits == "wait_for":
            arguments[0].close()
        pauses.append(arguments[-1])
        queue.stopped = True

    queue.stopped = False
    monkeypatch.setattr(asyncio, waits, wait)
    asyncio.run(getattr(queue, loop)())
    assert pauses == [IDLE]
