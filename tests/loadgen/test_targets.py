"""Load goes to loopback and to the cluster's own Services; to private hosts only when allowed; to strangers never."""

import pytest

from loadgen.errors import BadLoadInput, TargetRefused
from loadgen.schedule import Kind
from loadgen.targets import admit, admit_all


@pytest.mark.parametrize(
    ("url", "allowed", "goes_to"),
    [
        ("http://127.0.0.1:8000", (), "http://127.0.0.1:8000/v1/completions"),
        ("http://[::1]:8000/v1", (), "http://[::1]:8000/v1/completions"),
        ("http://localhost", (), "http://localhost/v1/completions"),
        ("http://chat.shop.svc:8000/", (), "http://chat.shop.svc:8000/v1/completions"),
        ("https://chat.shop.svc.cluster.local", (), "https://chat.shop.svc.cluster.local/v1/completions"),
        ("http://10.1.2.3/api/completions", ("10.1.2.3",), "http://10.1.2.3/api/completions"),
        ("http://chat.shop.svc/v2/models/resnet/infer", (), "http://chat.shop.svc/v2/models/resnet/infer"),
    ],
)
def test_these_are_let_through(url: str, allowed: tuple[str, ...], goes_to: str) -> None:
    assert admit(url, allowed).url == goes_to


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3",
        "http://192.168.1.1:8000",
        "http://93.184.216.34",
        "http://example.com",
        "http://chat.shop.svc.example.com",
        "http://svc",
        "http://localhost.example.com",
        "http://169.254.169.254/v1",
        "http://[2001:db8::1]",
        "http://0x7f.1.example.com",
    ],
)
def test_strangers_are_refused_with_what_would_help(url: str) -> None:
    with pytest.raises(TargetRefused, match="--allow-target"):
        admit(url)


@pytest.mark.parametrize("url", ["http://93.184.216.34", "http://8.8.8.8/v1"])
def test_a_public_address_cannot_even_be_allowed(url: str) -> None:
    with pytest.raises(TargetRefused, match="only private addresses"):
        admit(url, (url.split("/")[2],))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://localhost", "no URL to send to"),
        ("localhost:8000", "no URL to send to"),
        ("http://", "no URL to send to"),
        ("http://localhost:99999", "no URL to send to"),
        ("http://localhost:secret@127.0.0.1", "no URL to send to"),
        ("http://localhost/v1/chat/completions", "no route to replay on"),
        ("http://localhost/metrics", "no route to replay on"),
    ],
)
def test_what_is_no_target_says_what_is(url: str, says: str) -> None:
    with pytest.raises(BadLoadInput, match=says):
        admit(url)


def test_the_route_tells_the_kind_and_each_kind_has_one_target() -> None:
    urls = ["http://localhost/v1", "http://localhost/v2/models/resnet/infer"]
    assert set(admit_all(urls, (), None, "ids")) == {Kind.COMPLETION, Kind.CLASSIFICATION}
    with pytest.raises(BadLoadInput, match="both take completions"):
        admit_all(["http://localhost:1", "http://localhost:2"], (), None, "ids")
