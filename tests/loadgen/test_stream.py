"""The events of a stream are counted right wherever the network splits it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.stream import CompletionStream
from loadgen.token_gaps import TokenGaps
from tests.loadgen.server import DONE, TOKEN, usage


@settings(deadline=None, max_examples=40)
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
    stream.feed(b"data: ")
    for _ in range(20):
        stream.feed(b"x" * 100_000)
    assert stream.failed


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (b'{"choices":[{"text":" a"}],"usage":{"completion_tokens":4}}', True),
        (b"ok", True),
        (b'{"error": {"message": "out of memory"}}', False),
        (b'data: {"choices":[{"text":" a","finish_reason":"stop"}]}\n\n', True),
        (TOKEN, False),
        (DONE, False),
    ],
    ids=["document", "plain text", "error", "reason to finish, no mark", "cut", "no token"],
)
def test_an_answer_is_whole_or_not(answer: bytes, good: bool) -> None:
    stream = CompletionStream()
    for byte in answer:
        stream.feed(bytes([byte]))
    assert stream.succeeded(empty_is_whole=False) is good


def test_nothing_is_an_answer_only_if_nothing_was_announced() -> None:
    assert not CompletionStream().succeeded(empty_is_whole=False)
    assert CompletionStream().succeeded(empty_is_whole=True)


def test_who_speaks_is_no_token() -> None:
    stream = CompletionStream()
    stream.feed(b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n')
    assert stream.tokens == 0
    stream.feed(b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')
    assert stream.tokens == 1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(2e-5, 100), min_size=1, max_size=200), st.sampled_from([50, 95, 99]))
def test_gaps_keep_their_percentiles_to_two_percent(seconds: list[float], percent: int) -> None:
    gaps = TokenGaps()
    for each in seconds:
        gaps.add(each)
    exact = float(np.percentile(seconds, percent, method="inverted_cdf"))
    back = TokenGaps.from_json(gaps.to_json())
    assert back.percentile_seconds(percent) == pytest.approx(exact, rel=0.021)
    assert TokenGaps.joined([gaps, back]).percentile_seconds(percent) == back.percentile_seconds(percent)


def test_no_gaps_have_no_percentile() -> None:
    assert TokenGaps().percentile_seconds(99) is None
