"""GPUClass objects as a pass sees them."""

from typing import Any

import pytest
from cynosure.api import GPUClass
from cynosure.observe.catalogue import classes_of


def gpu_class(name: str, *prices: tuple[str, str, str], **spec: Any) -> GPUClass:
    listed = [{"region": region, "currency": currency, "perHour": price} for region, currency, price in prices]
    body = {"product": "A100-80GB", "memoryGiB": 80, "partitions": ["3g.40gb"], "prices": listed, **spec}
    return GPUClass.model_validate({"metadata": {"name": name}, "spec": body})


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        pytest.param((), {}, id="none"),
        pytest.param((("default", "EUR", "2"), ("eu-1", "EUR", "3")), {"EUR": 2.0}, id="the default region"),
        pytest.param((("eu-2", "EUR", "2"), ("eu-1", "EUR", "3")), {"EUR": 3.0}, id="else the dearest"),
        pytest.param((("default", "EUR", "2"), ("default", "USD", "2.2")), {"EUR": 2.0, "USD": 2.2}, id="currencies"),
    ],
)
def test_one_price_for_each_currency(prices: tuple[tuple[str, str, str], ...], expected: dict[str, float]) -> None:
    assert dict(classes_of([gpu_class("a100", *prices)])["A100-80GB"].prices) == expected


def test_of_two_classes_of_one_product_the_first_name_counts() -> None:
    found = classes_of([gpu_class("b", confidential=True), gpu_class("a")])
    assert not found["A100-80GB"].confidential
