"""Test that guesses at the teacher token are slow, and lock nobody out."""

import asyncio
import time
from collections import Counter

import pytest
from starlette.requests import Request

from gan.errors import UserError
from gan.ui.server.people import access
from gan.ui.server.people.access import CLIENTS, FREE, KEPT, ROOM, Access, TokenRateLimiter, client_of

TOKEN = "correct horse 42"
WAIT = 60.0  # seconds


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Make the rate limits ten times as fast as in real use."""
    for name in ("PACE", "PACE_ALL", "LOOK_EVERY"):
        monkeypatch.setattr(access, name, getattr(access, name) / 10)


async def outcome(access: Access, token: str, client: str) -> str:
    """Return the outcome of an attempt: "in", or the key of the refusal."""
    try:
        await access.enter(token, client)
    except UserError as error:
        return error.key
    return "in"


async def flood(access: Access, client: str, count: int) -> Counter:
    """Send so many wrong tokens of one client at once."""
    return Counter(await asyncio.gather(*(outcome(access, "wrong token", client) for _ in range(count))))


@pytest.fixture
def slow(monkeypatch):
    """Make everybody wait WAIT for each wrong token, so that even a busy machine shows who waits."""
    for name in ("PACE", "PACE_ALL"):
        monkeypatch.setattr(access, name, WAIT)


def test_nobody_is_refused_or_kept_waiting_for_what_others_do(slow):
    async def attacked():
        access = Access(TOKEN)
        attacks = [asyncio.create_task(flood(access, f"attacker {number}", 100)) for number in range(5)]
        await asyncio.sleep(0.02)

        async def teacher():
            return await outcome(access, "a slip", "teacher"), await outcome(access, TOKEN, "teacher")

        found = await asyncio.wait_for(teacher(), 0.9 * WAIT)
        for attack in attacks:
            attack.cancel()
        return found

    assert asyncio.run(attacked()) == ("access.wrong_token", "in")


def test_the_right_token_gets_in_from_an_address_with_any_number_of_wrong_ones():
    async def attacked():
        access = Access(TOKEN)
        for _ in range(3 * FREE):
            await outcome(access, "wrong token", "school")
        return await outcome(access, TOKEN, "school")

    assert asyncio.run(attacked()) == "in"


def test_a_stream_of_guesses_from_the_same_address_does_not_shut_the_teacher_out():
    async def attacked():
        access, tried = Access(TOKEN), 0

        async def guess():
            while True:
                await asyncio.sleep(0.02)  # five a second in real time
                streamed.append(asyncio.create_task(outcome(access, "wrong token", "school")))

        streamed = [asyncio.create_task(flood(access, "school", ROOM + FREE))]
        streamed.append(asyncio.create_task(guess()))
        await asyncio.sleep(0.1)
        while await outcome(access, TOKEN, "school") != "in":
            tried += 1
        for task in streamed:
            task.cancel()
        return tried

    assert asyncio.run(asyncio.wait_for(attacked(), 60)) < 60  # one try in three or four succeeds


def test_guesses_of_one_address_are_looked_at_slowly_and_few_wait():
    async def attacked():
        access, begin = Access(TOKEN), time.monotonic()
        found = await flood(access, "attacker", 300)
        return found, time.monotonic() - begin

    found, took = asyncio.run(attacked())
    slowly = found["access.wrong_token"] - FREE
    assert ROOM <= slowly < 2 * ROOM
    assert found["access.too_often"] == 300 - FREE - slowly
    assert took > (slowly - 1) * access.PACE


def test_guesses_of_many_addresses_are_slow_together(monkeypatch):
    monkeypatch.setattr(access, "PACE_ALL", 0.05)
    monkeypatch.setattr(access, "ROOM_ALL", 12)

    async def attacked():
        access = Access(TOKEN)
        for number in range(20):
            await flood(access, f"attacker {number}", FREE)
        begin = time.monotonic()
        found = await asyncio.gather(*(flood(access, f"attacker {number}", 2) for number in range(20)))
        return sum(found, Counter()), time.monotonic() - begin

    found, took = asyncio.run(attacked())
    slowly = found["access.wrong_token"]
    assert 12 <= slowly < 30
    assert found["access.too_often"] == 40 - slowly
    assert took > (slowly - 1) * 0.05


def test_wrong_tokens_are_forgotten_after_a_while_and_by_number(monkeypatch):
    now, seen = [1000.0], TokenRateLimiter()
    monkeypatch.setattr(access.time, "monotonic", lambda: now[0])
    for _ in range(FREE):
        seen.wrong("a")
    assert seen._lines["a"].wrong == FREE
    now[0] += KEPT
    seen.wrong("a")
    assert seen._lines["a"].wrong == 1
    for number in range(CLIENTS):
        seen.wrong(str(number))
    assert len(seen._lines) == CLIENTS
    assert "a" not in seen._lines


SPACE = "10.0.0.7"  # the proxy of a Hugging Face Space


@pytest.mark.parametrize(
    ("connected", "forwarded", "alone", "on_space"),
    [
        ("198.51.100.4", None, "198.51.100.4", "198.51.100.4"),
        (SPACE, "8.8.4.4", SPACE, "8.8.4.4"),
        (SPACE, "1.1.1.1, 8.8.4.4", SPACE, "8.8.4.4"),
        (SPACE, "8.8.4.4, 10.1.2.3", SPACE, "8.8.4.4"),
        (SPACE, "nonsense, \x7f", SPACE, SPACE),
        ("::ffff:8.8.4.4", None, "8.8.4.4", "8.8.4.4"),
        ("2a00:1450:4001:82a::200e", None, "2a00:1450:4001:82a::/64", "2a00:1450:4001:82a::/64"),
        ("testclient", "", "testclient", "testclient"),
    ],
)
def test_who_asks_is_who_is_connected_and_on_a_space_whom_its_proxy_names(
    connected, forwarded, alone, on_space, monkeypatch
):
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    request = Request({"type": "http", "headers": headers, "client": (connected, 1)})
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert client_of(request) == alone
    monkeypatch.setenv("SPACE_ID", "somebody/ganarium")
    assert client_of(request) == on_space


def test_where_there_is_no_token_nothing_is_guessed_and_nobody_waits(slow):
    async def asked():
        access = Access()
        return [await outcome(access, "anything", "a") for _ in range(100)]

    found = asyncio.run(asyncio.wait_for(asked(), 0.9 * WAIT))
    assert set(found) == {"access.wrong_token"}
