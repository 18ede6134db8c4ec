"""Test what the page asks of Gradio."""

import asyncio

import pytest

from gan.ui.page import IDLE, build_page


@pytest.fixture(scope="module")
def queue(services):
    return build_page(services)._queue


@pytest.mark.parametrize("loop", ["start_processing", "start_progress_updates"])
def test_gradios_queue_looks_for_events_rarely(loop, queue, monkeypatch):
    """With Gradio's own pause of a millisecond, a server without a visitor took 9 % of a core."""
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        queue.stopped = True

    queue.stopped = False
    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(getattr(queue, loop)())
    assert pauses == [IDLE]
