"""How a request is refused: one exception, rendered in the shape that the protocol of the path expects."""

import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):
    """A request that is not served. ``field`` is the one to mend, ``retry_after_seconds`` when to come again."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        code: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.code = code
        self.retry_after_seconds = retry_after_seconds


@web.middleware
async def render_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _render(refusal, request.path)
    except web.HTTPException as error:
        return _render(Refusal(error.status, f"{request.method} {request.path}: {error.reason}"), request.path)


def _render(refusal: Refusal, path: str) -> web.Response:
    body = {"error": refusal.message} if path.startswith("/v2/") else {"error": _openai_error(refusal)}
    response = web.json_response(body, status=refusal.status)
    if refusal.retry_after_seconds is not None:
        # The client should come again over a new connection, which a Service sends to another pod.
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
        response.force_close()
    return response


def _openai_error(refusal: Refusal) -> dict[str, str | None]:
    kind = "invalid_request_error" if refusal.status < 500 else "server_error"
    return {"message": refusal.message, "type": kind, "param": refusal.field, "code": refusal.code}


def parse_body(model: type[ModelT], body: bytes) -> ModelT:
    """The body as ``model``; a Refusal 400 that names the field when it is not."""
    try:
        return model.model_validate(json.loads(body or b"{}"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else None
        message = f"{field}: {first['msg']}" if field else first["msg"]
        raise Refusal(400, message, field=field) from error
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}") from error
