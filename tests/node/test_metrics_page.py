"""The page of metrics answers one short question a connection, and whoever asks in another way costs little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from tallystick.core.errors import Usage
from tallystick_node import metrics_page
from tallystick_node.cluster.ports import HOST, held_ports
from tallystick_node.metrics_page import CONNECTIONS_MAX, QUESTION_BYTES_MAX, REST, MetricsPage

WAIT_S: Final = 20.0
QUESTION: Final = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def page(text: Callable[[], bytes] = lambda: b"entries 3\n") -> AsyncIterator[int]:
    """A page that is shown; its port."""
    with held_ports(1) as (port,):
        shown = MetricsPage(f"{HOST}:{port}", text)
    await shown.start()
    try:
        yield port
    finally:
        await shown.stop()


async def ask(port: int, question: bytes) -> bytes:
    """All that comes back until the page closes the connection."""
    async with asyncio.timeout(WAIT_S):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(question)
        try:
            return await reader.read()
        except ConnectionError:  # closed with something unread
            return b""
        finally:
            writer.close()


async def test_a_question_is_answered_anew_each_time() -> None:
    """The page is made when it is asked for, says how long it is, and closes."""
    made: list[bytes] = []

    def text() -> bytes:
        made.append(b"x" * len(made))
        return made[-1]

    async with page(text) as port:
        for length in range(3):
            head, _, body = (await ask(port, QUESTION)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"text/plain; version=0.0.4" in head
            assert f"Content-Length: {length}".encode() in head
            assert body == b"x" * length


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 "),
        (b"GET /metrics/../x HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 "),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 "),
        (b"\r\n\r\n", b"HTTP/1.1 404 "),
        (b"GET /metrics?name=x HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET /metrics HTTP/1.1\r\nhost:[::1]\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET /metrics HTTP/1.1\r\nHost: rebound.example:9464\r\n\r\n", b"HTTP/1.1 421 "),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost.rebound.example\r\n\r\n", b"HTTP/1.1 421 "),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHOST : x.example\r\n\r\n", b"HTTP/1.1 421 "),
        (b"x" * (QUESTION_BYTES_MAX + 1), b""),
    ],
    ids=["root", "elsewhere", "post", "nothing", "query", "address", "ipv6", "rebound", "likeness", "two", "long"],
)
async def test_there_is_one_page(question: bytes, answer: bytes) -> None:
    """Any other question is told so, or, where it is too long, nothing."""
    async with page() as port:
        found = await ask(port, question)
        assert found.startswith(answer)
        assert bool(found) == bool(answer)


async def test_who_does_not_ask_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without a question ends by itself, and so does half a question."""
    monkeypatch.setattr(metrics_page, "QUESTION_S", 0.05)
    async with page() as port:
        assert await ask(port, b"") == b""
        assert await ask(port, QUESTION[:-2]) == b""


async def test_many_connections_are_not_all_kept() -> None:
    """Beyond the bound each is closed at once; those within it are answered still."""
    async with page() as port, asyncio.timeout(WAIT_S):
        kept = [await asyncio.open_connection(HOST, port) for _ in range(CONNECTIONS_MAX)]
        assert await ask(port, b"") == b""
        for reader, writer in kept:
            writer.write(QUESTION)
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert (await ask(port, QUESTION)).startswith(b"HTTP/1.1 200 ")


async def test_pages_leave_most_of_the_time_to_others() -> None:
    """However many ask at once, for what a page takes several times as long passes until the next is made."""
    took_s, clock = 0.02, asyncio.get_running_loop().time

    def text() -> bytes:
        time.sleep(took_s)
        return b""

    async with page(text) as port:
        began = clock()
        await asyncio.gather(*(ask(port, QUESTION) for _ in range(3)))
        assert clock() - began >= 3 * took_s * REST


async def test_a_figure_that_fails_ends_its_connection_alone() -> None:
    """Whoever asked is told nothing, and the next question is answered."""
    answers = iter((ZeroDivisionError(), b"entries 3\n"))

    def text() -> bytes:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with page(text) as port:
        assert await ask(port, QUESTION) == b""
        assert (await ask(port, QUESTION)).endswith(b"entries 3\n")


async def test_an_address_that_is_taken_is_told() -> None:
    """A second page at the first one's address is refused by name, and a stop frees it."""
    async with page() as port:
        with pytest.raises(Usage, match=f"metrics: {HOST}:{port}: the address is in use"):
            await MetricsPage(f"{HOST}:{port}", bytes).start()
    again = MetricsPage(f"{HOST}:{port}", bytes)
    await again.start()
    await again.stop()
