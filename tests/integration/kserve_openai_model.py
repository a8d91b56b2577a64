"""The model of kserve_model.py over KServe's OpenAI routes. Runs in KServe 0.14's environment: see its requirements."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import kserve
from kserve.protocol.rest.openai import ChatPrompt, CompletionRequest, OpenAIChatAdapterModel
from kserve.protocol.rest.openai.types import Completion, CompletionChoice, CreateChatCompletionRequest
from kserve_model import NAME, summary  # type: ignore[import-not-found]  # beside this file, which is run by path

TOKEN_S = 0.004
"""Between two words of a stream."""


async def streamed(text: str) -> AsyncIterator[Completion]:
    """Yield a text word by word, as a model makes tokens."""
    for index, word in enumerate(text.split(" ")):
        await asyncio.sleep(TOKEN_S)
        choice = CompletionChoice(finish_reason=None, index=0, logprobs=None, text=f" {word}" if index else word)
        yield Completion(id="x", choices=[choice], created=0, model=NAME, object="text_completion")
    end = CompletionChoice(finish_reason="stop", index=0, logprobs=None, text="")
    yield Completion(id="x", choices=[end], created=0, model=NAME, object="text_completion")


class Summarizer(OpenAIChatAdapterModel):  # type: ignore[misc]  # KServe is not installed where types are checked
    """Completions; chats become completions of their last message."""

    async def create_completion(self, request: CompletionRequest) -> Completion | AsyncIterator[Completion]:
        """Answer every prompt, the last one first: the order of choices is not promised. A stream comes by words."""
        asked = request.params.prompt
        if request.params.stream:
            return streamed(summary(asked if isinstance(asked, str) else asked[0]))
        prompts = [asked] if isinstance(asked, str) else asked
        choices = [
            CompletionChoice(finish_reason="stop", index=index, logprobs=None, text=summary(prompt))
            for index, prompt in enumerate(prompts)
        ]
        return Completion(id="x", choices=choices[::-1], created=0, model=NAME, object="text_completion")

    def apply_chat_template(self, messages: list[CreateChatCompletionRequest]) -> ChatPrompt:
        """Take the last message."""
        return ChatPrompt(prompt=messages[-1].content)


if __name__ == "__main__":
    kserve.ModelServer(http_port=int(sys.argv[1]), enable_grpc=False).start([Summarizer(NAME)])
