"""The model of kserve_model.py over KServe's OpenAI routes. Runs in KServe 0.14's environment: see its requirements."""

from __future__ import annotations

import sys

import kserve
from kserve.protocol.rest.openai import ChatPrompt, CompletionRequest, OpenAIChatAdapterModel
from kserve.protocol.rest.openai.types import Completion, CompletionChoice, CreateChatCompletionRequest
from kserve_model import NAME, summary  # type: ignore[import-not-found]  # beside this file, which is run by path


class Summarizer(OpenAIChatAdapterModel):  # type: ignore[misc]  # KServe is not installed where types are checked
    """Completions; chats become completions of their last message."""

    async def create_completion(self, request: CompletionRequest) -> Completion:
        """Answer every prompt, the last one first: the order of choices is not promised."""
        asked = request.params.prompt
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
