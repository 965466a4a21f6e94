"""Where load may go, and what a request to it looks like."""

import ipaddress
import json
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import SplitResult, urlsplit

from loadgen.errors import BadLoadInput, TargetRefused
from loadgen.schedule import Kind

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Prompt = Literal["ids", "text", "count"]
PROMPTS: tuple[str, ...] = get_args(Prompt)
"""How a prompt of N tokens is given: as N token ids, as a text of about N tokens, or as a tiny prompt and the
field ``prompt_tokens``, which only the emulated engine understands."""

_CLUSTER_SUFFIXES = (".svc", ".svc.cluster.local")
_NEAR_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
    )
)
"""Loopback, private (RFC 1918, 4193) and shared (RFC 6598) addresses: pods, Services and machines of one's own. Not the
link-local ones, where clouds answer with credentials."""

_CHAT = "/chat/completions"
_MOST_INPUT_TOKENS = 131_072
_FIRST_PLAIN_ID = 1000
_IDS = b",1000" * _MOST_INPUT_TOKENS
_WORDS = b" the" * _MOST_INPUT_TOKENS
_INFERENCE = b'{"inputs":[{"name":"images","shape":[1],"datatype":"BYTES","data":["0"]}]}'


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was let through `admit`, and the form of the requests to it."""

    url: str
    kind: Kind
    model: str | None = None
    prompt: Prompt = "ids"
    chat: bool = False

    def body(self, number: int, input_tokens: int, output_tokens: int) -> bytes:
        """Return the body of request ``number``; its prompt begins differently from others, past any prefix cache."""
        if self.kind is Kind.CLASSIFICATION:
            return _INFERENCE
        model = b'"model":%s,' % json.dumps(self.model).encode() if self.model else b""
        return b'{%s"max_tokens":%d,"ignore_eos":true,"stream":true,"stream_options":{"include_usage":true},%s}' % (
            model,
            output_tokens,
            self._prompt(number, min(input_tokens, _MOST_INPUT_TOKENS)),
        )

    def _prompt(self, number: int, tokens: int) -> bytes:
        if self.chat:
            return b'"messages":[{"role":"user","content":"%d%s"}]' % (number, _WORDS[: 4 * (tokens - 1)])
        if self.prompt == "count":
            return b'"prompt":"a","prompt_tokens":%d' % tokens
        if self.prompt == "text":
            return b'"prompt":"%d%s"' % (number, _WORDS[: 4 * (tokens - 1)])
        return b'"prompt":[%d%s]' % (_FIRST_PLAIN_ID + 1 + number % 8000, _IDS[: 5 * (tokens - 1)])


def admit_all(
    urls: Iterable[str], allowed_hosts: Collection[str], model: str | None, prompt: Prompt
) -> dict[Kind, Target]:
    """Admit one target for each kind of request; TargetRefused or BadLoadInput otherwise."""
    targets: dict[Kind, Target] = {}
    for url in urls:
        target = admit(url, allowed_hosts, model, prompt)
        if target.kind in targets:
            raise BadLoadInput(f"target: {url} and {targets[target.kind].url} both take {target.kind.name.lower()}s")
        targets[target.kind] = target
    return targets


def admit(url: str, allowed_hosts: Collection[str] = (), model: str | None = None, prompt: Prompt = "ids") -> Target:
    """Let a URL through that leads to loopback, a private address or a Service of the cluster, or is allowed by name.

    TargetRefused for every other place: a load generator must not be pointed at strangers by accident.
    """
    parts = _parsed(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if host not in {allowed.strip("[]").rstrip(".").lower() for allowed in allowed_hosts}:
        _check_near(host)
    kind, path = _route(parts)
    chat = path.endswith(_CHAT)
    return Target(parts._replace(path=path).geturl(), kind, model, prompt, chat)


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise BadLoadInput(f"target: {url!r} is no URL to send to; write http://HOST:PORT or https://HOST:PORT")
    return parts


def _check_near(host: str) -> None:
    if host == "localhost" or host.endswith(_CLUSTER_SUFFIXES):
        return
    address = _address(host)
    found = [address] if address else _looked_up(host)
    if strange := next((a for a in found if not any(a in network for network in _NEAR_NETWORKS)), None):
        where = host if address else f"{host} ({strange})"
        raise TargetRefused(
            f"target: {where} is neither loopback nor private nor a Service (NAME.NAMESPACE.svc); if you may put load "
            f"on it, add --allow-target {host}"
        )


def _looked_up(host: str) -> list[Address]:
    try:
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError) as error:
        raise TargetRefused(
            f"target: {host} has no address here ({error}), so it is not known to be near; check the name, or add "
            f"--allow-target {host}"
        ) from None
    return [ipaddress.ip_address(address) for address in sorted(found)]


def _address(host: str) -> Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _route(parts: SplitResult) -> tuple[Kind, str]:
    path = parts.path.rstrip("/")
    if path.startswith("/v2/models/") and path.endswith("/infer"):
        return Kind.CLASSIFICATION, path
    if path in ("", "/v1"):
        return Kind.COMPLETION, "/v1/completions"
    if path.endswith("/completions"):
        return Kind.COMPLETION, path
    raise BadLoadInput(
        f"target: {parts.path} is no route to replay on; /v1/completions, /v1/chat/completions and "
        f"/v2/models/NAME/infer are"
    )
