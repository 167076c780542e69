"""Conversations of a model with simulated users, all of them turn by turn together (SAGE's sentient agent).

After each reply the simulator says how much it changes what the user feels, and then what the user says next. A
conversation ends when the user is at peace (100), despairs (0), after the last turn, or where somebody does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from affectllm.empathy.converse_page import ConversePage, Persona
from affectllm.instruct.conversation import answered
from affectllm.metrics.benchmarks.sage import POINT
from affectllm.metrics.judge.ask import score_of
from affectllm.metrics.judge.judge import Failure
from affectllm.metrics.judge.wording import Prompt, load_prompt
from affectllm.predict.answering import Answering
from affectllm.respond.responder import Ask, Reply, Unanswered

PEACE, DESPAIR = 100.0, 0.0
_FEELING_TOKENS = 160


@dataclass
class Talk:
    """One conversation.

    Attributes:
        history: turns ``{role, content}``; replies have ``emotion-point``, the feeling after them.
        feeling: now.
        end: why it ended; empty while it goes on.
    """

    persona: Persona
    history: list[dict[str, Any]] = field(default_factory=list)
    feeling: float = 0.0
    end: str = ""

    def __post_init__(self) -> None:
        self.feeling = self.persona.feeling
        self.history = [{"role": "user", "content": self.persona.opening, POINT: self.feeling}]

    def to_json(self) -> dict[str, Any]:
        """Return the conversation as SAGE's logs have it."""
        return {"id": self.persona.id, "history": self.history, "emo_point": self.feeling, "end": self.end}


@dataclass(frozen=True)
class Stage:
    """Who talks with whom."""

    page: ConversePage
    model: Answering
    simulator: Answering

    def play(self, personas: Sequence[Persona]) -> list[Talk]:
        """Play the conversations with all users."""
        talks = [Talk(persona) for persona in personas]
        for turn in range(1, self.page.turns + 1):
            self._reply(_open(talks))
            self._feel(_open(talks))
            for talk in _open(talks):
                talk.end = "peace" if talk.feeling >= PEACE else "despair" if talk.feeling <= DESPAIR else ""
            if turn == self.page.turns:
                break
            self._speak(_open(talks))
        for talk in _open(talks):
            talk.end = "turns"
        return talks

    def _reply(self, talks: Sequence[Talk]) -> None:
        """The model answers; its own earlier replies are part of the conversation."""
        system = [text_message("system", self.page.model.system)] if self.page.model.system else []
        asks = [
            Ask([*system, *(turn_message(one) for one in talk.history)], self.page.model.max_new_tokens)
            for talk in talks
        ]
        for talk, reply in zip(talks, self.model.replies(asks), strict=True):
            if text := _said(talk, reply, "model"):
                talk.history.append({"role": "assistant", "content": text})

    def _feel(self, talks: Sequence[Talk]) -> None:
        prompt = load_prompt("user_feeling", self.page.language)
        for talk, reply in zip(talks, self._asked(talks, prompt, _FEELING_TOKENS), strict=True):
            if not (text := _said(talk, reply, "simulator")):
                continue
            change = score_of(text, prompt)
            if isinstance(change, Failure):
                talk.end = f"feeling_{change.reason}"
                continue
            talk.feeling = min(PEACE, max(DESPAIR, talk.feeling + change))
            talk.history[-1] |= {POINT: talk.feeling, "judged": text}

    def _speak(self, talks: Sequence[Talk]) -> None:
        prompt = load_prompt("user_turn", self.page.language)
        for talk, reply in zip(talks, self._asked(talks, prompt, self.page.simulator.max_new_tokens), strict=True):
            if text := _said(talk, reply, "simulator"):
                talk.history.append({"role": "user", "content": text})

    def _asked(self, talks: Sequence[Talk], prompt: Prompt, tokens: int) -> list[Reply]:
        asks = [
            Ask([text_message(one["role"], one["content"]) for one in prompt.messages(_facts(talk))], tokens)
            for talk in talks
        ]
        return self.simulator.replies(asks) if asks else []


def simulator_prompts(language: str) -> dict[str, str]:
    """Return the prompts that a simulator is played by, name → hash."""
    return {name: load_prompt(name, language).hash for name in ("user_feeling", "user_turn")}


def _open(talks: Sequence[Talk]) -> list[Talk]:
    return [talk for talk in talks if not talk.end]


def _said(talk: Talk, reply: Reply, who: str) -> str:
    """Return what was said; where nothing was, end the conversation under its reason."""
    if isinstance(reply, Unanswered):
        talk.end = f"{who}_{reply.reason}"
        return ""
    if not reply.strip():
        talk.end = f"{who}_empty"
    return reply.strip()


def _facts(talk: Talk) -> dict[str, str]:
    names = {"user": "You", "assistant": "The other"}
    dialogue = "\n".join(f"{names[one['role']]}: {one['content']}" for one in talk.history)
    own = talk.persona
    return {"persona": own.persona, "need": own.need, "dialogue": dialogue, "feeling": f"{talk.feeling:g}"}


def text_message(role: str, text: str) -> dict[str, Any]:
    """Return what somebody said, as a message."""
    return {"role": role, "content": [{"type": "text", "text": text}]}


def turn_message(one: Mapping[str, Any]) -> Any:
    """Return a turn of a history as a message."""
    return answered(one["content"]) if one["role"] == "assistant" else text_message(one["role"], one["content"])
