"""The page: what is shown to a model, what is asked, its answer, and two models compared without their names."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr

from affectllm.demo.asking import Contender, ablation_rows, ablations, answer_line, bars, moment, question_of
from affectllm.demo.votes import HEADER, Vote, keep, read, rows, standings
from affectllm.errors import AffectError

_KEPT_SECONDS = 600  # that recordings and uploads of a visit lie on disk
_NOTICE = (
    "Answers are a model's, about one moment, and may be wrong: what somebody shows is not what they feel. "
    "Recordings and files go to the machine that runs this page, and are deleted after ten minutes or when it ends."
)
_VOTES = {"The first is better": "a1", "Neither is better": "same", "The second is better": "a2"}


@dataclass(frozen=True)
class Settings:
    """How the page begins.

    Args:
        template, labels, language: of the question; the visitor may change them.
        templates: names of the templates that a moment alone can be asked by.
        languages: tags to choose from.
        system: system prompt of the models; empty for their own.
        votes: file in which votes are kept.
    """

    template: str
    labels: str
    language: str
    templates: Sequence[str]
    languages: Sequence[str]
    system: str
    votes: Path


def page(contenders: Sequence[Contender], settings: Settings) -> gr.Blocks:
    """Return the page for one model, or for two, which can then be compared blindly."""
    with gr.Blocks(title="affectllm", analytics_enabled=False, delete_cache=(60, _KEPT_SECONDS)) as blocks:
        gr.Markdown(f"# {' and '.join(one.name for one in contenders) if len(contenders) < 2 else 'affectllm'}")
        inputs = [*_shown(), *_asked(settings)]
        with gr.Tab("Try"):
            _try(contenders, inputs, settings)
        if len(contenders) > 1:
            with gr.Tab("Compare blindly"):
                _compare(contenders, inputs, settings)
        gr.Markdown(_NOTICE)
    return blocks


def theme() -> gr.Theme:
    """Return the look of the page, in fonts that every machine has."""
    return gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def _shown() -> list[gr.components.Component]:
    camera = gr.WebcamOptions(mirror=False)
    with gr.Row():
        film = gr.Video(label="Film", sources=["upload", "webcam"], webcam_options=camera, elem_id="film")
        sound = gr.Audio(label="Sound", sources=["upload", "microphone"], type="filepath", elem_id="sound")
        # As the file was uploaded, or lossless where it comes from the camera.
        whole: dict[str, Any] = {"type": "filepath", "format": "png", "elem_id": "picture"}
        picture = gr.Image(label="Picture", sources=["upload", "webcam"], webcam_options=camera, **whole)
    return [film, sound, picture, gr.Textbox(label="Words", lines=2, elem_id="words")]


def _asked(settings: Settings) -> list[gr.components.Component]:
    with gr.Row():
        template = gr.Dropdown(list(settings.templates), value=settings.template, label="Template")
        labels = gr.Textbox(settings.labels, label="Labels (a,b,c; empty: those of the template)", elem_id="labels")
        language = gr.Dropdown(list(settings.languages), value=settings.language, label="Language")
    return [template, labels, language]


def _try(contenders: Sequence[Contender], inputs: list[Any], settings: Settings) -> None:
    names = [one.name for one in contenders]
    by_name = dict(zip(names, contenders, strict=True))
    model = gr.Dropdown(names, value=names[0], label="Model", visible=len(names) > 1)
    ask = gr.Button("Ask", variant="primary", elem_id="ask")
    with gr.Row():
        answer = gr.Label(label="Answer", elem_id="answer")
        written = gr.Textbox(label="What the model wrote", interactive=False, elem_id="written")
    header = ["the model …", "answer", "likelihood of the full answer"]
    without = gr.Dataframe(headers=header, label="What if?", interactive=False, elem_id="without")

    def answered(name: str, *fields: Any) -> tuple[Any, str, list[list[Any]]]:
        sample, question = _read(fields, settings)
        full = by_name[name].ask(sample, question)
        rest = list(ablations(by_name[name], sample, question, full))
        return bars(full), full.reply or "", ablation_rows(full, rest)

    ask.click(_told(answered), [model, *inputs], [answer, written, without], api_name="ask")


def _compare(contenders: Sequence[Contender], inputs: list[Any], settings: Settings) -> None:
    pending, session = gr.State(None), gr.State(lambda: secrets.token_hex(8))
    ask = gr.Button("Ask both", variant="primary", elem_id="ask-both")
    with gr.Row():
        answers = [gr.Label(label=f"The {place} model", elem_id=place) for place in ("first", "second")]
    with gr.Row():
        buttons = [gr.Button(words, interactive=False, elem_id=choice) for words, choice in _VOTES.items()]
    revealed = gr.Markdown(elem_id="revealed")
    table = gr.Dataframe(headers=list(HEADER), label="Votes so far", interactive=False, visible=False)

    def both(*fields: Any) -> tuple[Any, ...]:
        sample, question = _read(fields, settings)
        order = random.sample(list(contenders), 2)
        first, second = (one.ask(sample, question) for one in order)
        asked = {**asdict(question), "labels": list(question.labels)}
        waiting = {
            "order": [one.name for one in order],
            "answers": [answer_line(first), answer_line(second)],
            "shown": ["+".join(first.shown), "+".join(second.shown)],
            "asked": {name: asked[name] for name in ("template", "labels", "language")},
        }
        votable = [gr.update(interactive=first.used and second.used) for _ in buttons]
        return waiting, bars(first), bars(second), *votable, "", gr.update(visible=False)

    def voted(choice: str, waiting: Mapping[str, Any] | None, visit: str) -> tuple[Any, ...]:
        if waiting is None:  # a second click before the buttons were switched off
            raise AffectError("this comparison has its vote already", do="ask both again")
        vote = _vote(choice, waiting, visit)
        keep(vote, settings.votes)
        names = f"The first was **{vote.first}**, the second **{vote.second}**."
        shown = gr.update(value=rows(standings(read(settings.votes))), visible=True)
        return None, *(gr.update(interactive=False) for _ in buttons), names, shown

    ask.click(_told(both), inputs, [pending, *answers, *buttons, revealed, table], api_visibility="private")
    for button, choice in zip(buttons, _VOTES.values(), strict=True):
        vote = _told(lambda waiting, visit, choice=choice: voted(choice, waiting, visit))
        button.click(vote, [pending, session], [pending, *buttons, revealed, table], api_visibility="private")


def _vote(choice: str, waiting: Mapping[str, Any], session: str) -> Vote:
    first, second = waiting["order"]
    time = datetime.now(UTC).isoformat(timespec="seconds")
    texts = {name: (waiting[name][0], waiting[name][1]) for name in ("answers", "shown")}
    return Vote(first, second, choice, texts["answers"], session, dict(waiting["asked"]), texts["shown"], time)


def _read(fields: Sequence[Any], settings: Settings) -> tuple[Any, Any]:
    film, sound, picture, words, template, labels, language = fields
    return moment([film, sound, picture], words or ""), question_of(template, labels, language, settings.system)


def _told(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Show an error of ours to the visitor in its own words; any other stays in the terminal."""

    def answered(*fields: Any) -> Any:
        try:
            return answer(*fields)
        except AffectError as error:
            raise gr.Error(str(error)) from error

    return answered
