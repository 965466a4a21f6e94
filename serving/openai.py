"""The part of OpenAI's completions protocol that the emulated engine speaks: requests in, documents out. No I/O.

Extensions: ``prompt_tokens`` states the prompt's length without sending a prompt; the output always has
exactly ``max_tokens`` tokens (as with vLLM's ``ignore_eos``).
"""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, PositiveInt

from serving.batching import Generation
from serving.refusal import Refusal, parse_body

DEFAULT_OUTPUT_TOKENS = 16
CHARACTERS_PER_TOKEN = 4
WORD = " token"


class StreamOptions(BaseModel):
    include_usage: bool = False


class _Common(BaseModel):
    model: str | None = None
    max_tokens: PositiveInt | None = None
    prompt_tokens: PositiveInt | None = None
    n: int = Field(default=1, ge=1, le=1)
    stream: bool = False
    stream_options: StreamOptions | None = None


class _Completion(_Common):
    prompt: str | list[int] | None = None


class _TextPart(BaseModel):
    text: str = ""


class _Message(BaseModel):
    content: str | list[_TextPart] | None = None


class _ChatCompletion(_Common):
    messages: list[_Message] = Field(default_factory=list)
    max_completion_tokens: PositiveInt | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as the engine sees it, and how its answer is written."""

    generation: Generation
    model: str
    created: int
    chat: bool
    stream: bool
    include_usage: bool

    def chunk(self, *, first: bool, last: bool) -> bytes:
        """The server-sent event of one token."""
        if self.chat:
            delta = {"role": "assistant", "content": WORD} if first else {"content": WORD}
            choice: dict[str, Any] = {"index": 0, "delta": delta}
        else:
            choice = {"index": 0, "text": WORD}
        choice["finish_reason"] = "length" if last else None
        return self._event({"choices": [choice]})

    def trailer(self) -> bytes:
        """What follows the last token: the usage where it was asked for, and the end mark."""
        usage = self._event({"choices": [], "usage": self._usage()}) if self.include_usage else b""
        return usage + b"data: [DONE]\n\n"

    def document(self) -> dict[str, Any]:
        """The whole answer to a request that does not stream."""
        text = WORD * self.generation.output_tokens
        choice = {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        choices = [{"index": 0, **choice, "finish_reason": "length"}]
        return {**self._head(streamed=False), "choices": choices, "usage": self._usage()}

    def _event(self, body: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps({**self._head(streamed=True), **body}, separators=(",", ":")).encode() + b"\n\n"

    def _head(self, *, streamed: bool) -> dict[str, Any]:
        kind = ("chat.completion.chunk" if streamed else "chat.completion") if self.chat else "text_completion"
        return {"id": self.generation.id, "object": kind, "created": self.created, "model": self.model}

    def _usage(self) -> dict[str, int]:
        prompt, output = self.generation.prompt_tokens, self.generation.output_tokens
        return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}


def parse_completion(body: bytes, model: str) -> Exchange:
    """Refusal 400 or 404 when the request is not one for ``model`` that can be answered."""
    request = parse_body(_Completion, body)
    if request.prompt_tokens is None and not request.prompt:
        raise Refusal(400, "prompt: give a text, a list of token ids, or prompt_tokens", field="prompt")
    prompt = request.prompt or ""
    tokens = len(prompt) if isinstance(prompt, list) else _text_tokens(len(prompt))
    return _exchange(request, tokens, request.max_tokens, model, chat=False)


def parse_chat(body: bytes, model: str) -> Exchange:
    """Refusal 400 or 404 when the request is not one for ``model`` that can be answered."""
    request = parse_body(_ChatCompletion, body)
    if request.prompt_tokens is None and not request.messages:
        raise Refusal(400, "messages: give at least one, or prompt_tokens", field="messages")
    tokens = _text_tokens(sum(_characters(message) for message in request.messages))
    return _exchange(request, tokens, request.max_completion_tokens or request.max_tokens, model, chat=True)


def _exchange(request: _Common, tokens: int, output_tokens: int | None, model: str, *, chat: bool) -> Exchange:
    if request.model not in {None, model}:
        message = f"model: {request.model!r} is not served here; {model!r} is"
        raise Refusal(404, message, field="model", code="model_not_found")
    return Exchange(
        generation=Generation(
            id=f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}",
            prompt_tokens=request.prompt_tokens or tokens,
            output_tokens=output_tokens or DEFAULT_OUTPUT_TOKENS,
        ),
        model=model,
        created=int(time.time()),
        chat=chat,
        stream=request.stream,
        include_usage=request.stream_options is not None and request.stream_options.include_usage,
    )


def _text_tokens(characters: int) -> int:
    return max(1, characters // CHARACTERS_PER_TOKEN)


def _characters(message: _Message) -> int:
    if isinstance(message.content, list):
        return sum(len(part.text) for part in message.content)
    return len(message.content or "")
