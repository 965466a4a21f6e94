"""The events of a stream are counted right wherever the network splits it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from loadgen.stream import CompletionStream
from tests.loadgen.server import DONE, TOKEN, usage


@given(tokens=st.integers(1, 30), cuts=st.lists(st.integers(0, 2000), max_size=20), told=st.booleans())
def test_splits_do_not_matter(tokens: int, cuts: list[int], told: bool) -> None:
    text = TOKEN * tokens + (usage(tokens) if told else b"") + DONE
    edges = sorted({0, len(text), *(cut % len(text) for cut in cuts)})
    stream = CompletionStream()
    for start, end in itertools.pairwise(edges):
        stream.feed(text[start:end])
    assert (stream.tokens, stream.finished, stream.failed) == (tokens, True, False)


def test_the_server_knows_better_when_an_event_carries_several_tokens() -> None:
    stream = CompletionStream()
    stream.feed(TOKEN * 3 + usage(9) + DONE)
    assert stream.tokens == 9


def test_comments_and_carriage_returns_are_no_tokens() -> None:
    stream = CompletionStream()
    stream.feed(b": ping\r\n\r\n" + TOKEN.replace(b"\n", b"\r\n") + DONE)
    assert (stream.tokens, stream.finished) == (1, True)


def test_a_line_without_end_is_a_failure() -> None:
    stream = CompletionStream()
    for _ in range(20):
        stream.feed(b"x" * 100_000)
    assert stream.failed
