"""Load goes to loopback, private addresses and the cluster's own Services; to others only when they are named."""

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
        ("http://10.1.2.3/api/completions", (), "http://10.1.2.3/api/completions"),
        ("http://[fd00::1]:80/v1/chat/completions", (), "http://[fd00::1]:80/v1/chat/completions"),
        ("http://[::ffff:127.0.0.1]/v1", (), "http://[::ffff:127.0.0.1]/v1/completions"),
        ("http://gpu-box:8000", (), "http://gpu-box:8000/v1/completions"),
        ("http://chat.shop.svc/v2/models/resnet/infer", (), "http://chat.shop.svc/v2/models/resnet/infer"),
    ],
)
def test_these_are_let_through(url: str, allowed: tuple[str, ...], goes_to: str) -> None:
    assert admit(url, allowed).url == goes_to


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for the resolver, so that no test asks a name server."""
    known = {"gpu-box": "192.168.7.4", "shop.example": "93.184.216.34", "dual.example": "10.0.0.1 2001:db8::1"}

    def looked_up(host: str, port: object) -> list[tuple[object, ...]]:
        if host not in known:
            raise OSError("name not known")
        return [(0, 0, 0, "", (address, 0)) for address in known[host].split()]

    monkeypatch.setattr("loadgen.targets.socket.getaddrinfo", looked_up)


STRANGERS = [
    "http://93.184.216.34",
    "http://example.com",
    "http://shop.example",
    "http://dual.example",
    "http://chat.shop.svc.example.com",
    "http://localhost.example.com",
    "http://169.254.169.254/v1",
    "http://[2001:db8::1]",
    "http://[::ffff:8.8.8.8]",
    "http://0.0.0.0:8000",
    "http://192.0.2.1",
]


@pytest.mark.parametrize("url", STRANGERS)
def test_strangers_are_refused_unless_named(url: str) -> None:
    with pytest.raises(TargetRefused, match="--allow-target"):
        admit(url)
    with pytest.raises(TargetRefused, match="--allow-target"):
        admit(url, ("other.example",))
    host = url.removeprefix("http://").removesuffix("/v1").removesuffix(":8000")
    assert admit(url, (host.upper(),)).kind is Kind.COMPLETION


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://localhost", "no URL to send to"),
        ("localhost:8000", "no URL to send to"),
        ("http://", "no URL to send to"),
        ("http://localhost:99999", "no URL to send to"),
        ("http://localhost:secret@127.0.0.1", "no URL to send to"),
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
