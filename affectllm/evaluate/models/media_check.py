"""The media self-test of an endpoint, once for each combination of modalities, and remembered with the answers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from affectllm.evaluate.answers import Answers
from affectllm.instruct.conversation import Messages, media_parts
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.media_test import ITEMS, check_modalities_heard, requests_needed
from affectllm.run import digest

Kind = tuple[str, ...]


class MediaCheck:
    """What of an endpoint is known to hear and see.

    Args:
        endpoint: which is asked.
        answers: where a test that was passed is noted.
        roots: corpus name → folder; looked up at every test, so it may grow.
        wanted: False where nothing is to be tested.
    """

    def __init__(self, endpoint: Endpoint, answers: Answers, roots: Mapping[str, Path], wanted: bool = True) -> None:
        self._endpoint, self._answers, self._roots, self._wanted = endpoint, answers, roots, wanted
        self._heard: set[Kind] = set()

    def run(self, conversations: Iterable[Messages]) -> None:
        """Test the combinations of modalities among conversations that were not tested yet.

        Raises:
            ModalityUnheard: when one does not reach the model.
            EndpointFailed, BudgetSpent: as the endpoint.
        """
        for kind, trials in self._trials(conversations).items():
            key = f"selftest/{digest([self._endpoint.identity(), kind])}"
            if self._answers.get(key) is None:
                for modality in check_modalities_heard(self._endpoint, trials, self._roots):
                    words = f"replies of {self._endpoint.where} vary: whether {modality} is heard could not be told"
                    print(words, file=sys.stderr)
                self._answers.add({key: "heard"})
            self._heard.add(kind)

    def requests_needed(self, conversations: Iterable[Messages]) -> int:
        """Return how many requests ``run`` would send at most."""
        return sum(requests_needed(trials) for trials in self._trials(conversations).values())

    def _trials(self, conversations: Iterable[Messages]) -> dict[Kind, list[Messages]]:
        """Return the first conversations with different clips for each combination of modalities not yet tested."""
        trials: dict[Kind, list[Messages]] = {}
        for messages in conversations if self._wanted else ():
            kind = tuple(sorted(f"{p['type']}{'+sound' if p.get('sound') else ''}" for p in media_parts(messages)))
            chosen = trials.setdefault(kind, []) if kind and kind not in self._heard else None
            if chosen is not None and len(chosen) < ITEMS and messages not in chosen:
                chosen.append(messages)
        return trials
