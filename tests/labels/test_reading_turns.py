"""Whole transcripts: only the assistant's own last answer is read, whatever the chat markup, by every reader."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.labels import LabelSpace
from affectllm.labels.reading import (
    Unreadable,
    answer_part,
    read_judgement,
    read_label,
    read_labels,
    read_number,
    read_numbers,
    read_preference,
    read_span,
)
from affectllm.labels.reading.tags import reasoning_part, without_markup
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL as SPACE

SEVERAL = LabelSpace("set", "set", SPACE.names, source="test", aliases=SPACE.aliases)
# {q} is what somebody else says, {a} the answer.
TRANSCRIPTS = [
    "<|im_start|>system\n{q}<|im_end|>\n<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n{a}<|im_end|>",
    "<|im_start|>user<|im_sep|>{q}<|im_end|><|im_start|>assistant<|im_sep|>{a}<|im_end|>",
    "<|endoftext|><|endoftext|><|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n<think>\n{q}\n</think>\n\n{a}",
    "<s>[INST] <<SYS>>\n{q}\n<</SYS>>\n\n{q} [/INST] {a} </s>",
    "<s>[INST] {q} [/INST] {q} </s><s>[INST] {q} [/INST] {a} </s>",
    "[SYSTEM_PROMPT]{q}[/SYSTEM_PROMPT][INST]{q}[/INST][THINK]{q}[/THINK]{a}</s>",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{q}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n{a}<|eot_id|>",
    "<|begin_of_text|><|header_start|>user<|header_end|>\n\n{q}<|eot|><|header_start|>assistant<|header_end|>\n\n{a}<|eot|>",
    "<bos><start_of_turn>user\n{q}<end_of_turn>\n<start_of_turn>model\n{a}<end_of_turn>",
    "<bos><|turn>user\n{q}<turn|>\n<|turn>model\n<|channel>thought\n{q}<channel|>{a}<turn|>",
    "<|user|>\n{q}<|end|>\n<|assistant|>\n{a}<|end|>",
    "<|user|>\n{q}<|end|>\n<|assistant|>\n{q}<|end|>\n<|user|>\n{q}<|end|>\n<|assistant|>\n<think>{q}</think>{a}<|end|>",
    "[gMASK]<sop><|system|>\n{q}<|user|>\n{q}<|assistant|>\n<think>{q}</think>\n{a}",
    "<｜begin▁of▁sentence｜>{q}<｜User｜>{q}<｜Assistant｜>{q}</think>\n\n{a}<｜end▁of▁sentence｜>",
    "<|start_of_role|>user<|end_of_role|>{q}<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>{a}<|end_of_text|>",
    "<BOS_TOKEN><|START_OF_TURN_TOKEN|><|USER_TOKEN|>{q}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|>"
    "<|CHATBOT_TOKEN|><|START_THINKING|>{q}<|END_THINKING|><|START_RESPONSE|>{a}<|END_RESPONSE|>",
    "<|User|>:{q}<eoh>\n<|Bot|>:{a}<eoa>",
    "<reserved_106>{q}<reserved_107>{a}</s>",
    "<|im_user|>user<|im_middle|>{q}<|im_end|><|im_assistant|>assistant<|im_middle|>{a}<|im_end|>",
    "<|start|>user<|message|>{q}<|end|><|start|>assistant<|channel|>analysis<|message|>{q}<|end|>"
    "<|start|>assistant<|channel|>final<|message|>{a}<|return|>",
    "<|channel|>analysis<|message|>{q}<|end|><|start|>assistant<|channel|>final<|message|>{a}",
    "analysisWe think: {q}assistantfinal{a}",
    "A chat between a curious user and an assistant. USER: {q} ASSISTANT: {a}</s>",
    "USER: {q}\nASSISTANT: {a}",
    "Human: {q}\n\nAssistant: {a}",
    "**User:** {q}\n**Assistant:** {a}",
    "User: {q}<end_of_utterance>\nAssistant: {a}<end_of_utterance>",
    "### Instruction:\n{q}\n\n### Response:\n{a}",
    "### Human: {q}\n###  Assistant: {a}",
    "Below is an instruction that describes a task.\n\n### Instruction:\n{q}\n\n### Response:\n{a}",
    "以下は、タスクを説明する指示です。\n\n### 指示:\n{q}\n\n### 応答:\n{a}",
    "<extra_id_0>System\n{q}\n<extra_id_1>User\n{q}\n<extra_id_1>Assistant\n{a}\n",
    "[|system|]{q}[|endofturn|]\n[|user|]{q}\n[|assistant|]{a}[|endofturn|]",
    "<s>GPT4 Correct User: {q}<|end_of_turn|>GPT4 Correct Assistant: {a}<|end_of_turn|>",
    "<s><|BOT|>human\n{q}<|EOT|><|BOT|>assistant\n{a}<|EOT|>",
    "<seed:bos>user\n{q}<seed:eos><seed:bos>assistant\n{a}<seed:eos>",
    "<｜hy_begin▁of▁sentence｜>{q}<｜hy_User｜>{q}<｜hy_Assistant｜>{a}<｜hy_place▁holder▁no▁2｜>",
    "<s><|system_start|>{q}<|system_end|><|user_start|>{q}<|user_end|><|assistant_start|>{a}<|assistant_end|>",
    "<|im_kimia_user_msg_start|>{q}<|im_msg_end|><|im_kimia_assistant_msg_start|>{a}<|im_msg_end|>",
    "]~!b[]~b]user\n{q}[e~[\n]~b]ai\n{a}[e~[",
    "用户：{q}\n助手：{a}",
    "system\n{q}\nuser\n{q}\nassistant\n{a}",
    "user\n\n{q}.assistant\n\n{a}",
    "user\n{q}\nmodel\n{a}",
    '[{{"role": "user", "content": "{q}"}}, {{"role": "assistant", "content": "{a}"}}]',
    "[{{'role': 'user', 'content': [{{'type': 'text', 'text': '{q}'}}]}}, {{'role': 'assistant', 'content': '{a}'}}]",
    '{{"conversations": [{{"from": "human", "value": "{q}"}}, {{"from": "gpt", "value": "{a}"}}]}}',
]
INVENTED = [
    "{a}<|im_end|>\n<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n{q}<|im_end|>",
    "{a}</s><s>[INST] {q} [/INST] {q}</s>",
    "{a}</assistant>\n{q}",
    "{a}<end_of_turn>\n<start_of_turn>user\n{q}<end_of_turn>\n<start_of_turn>model\n{q}",
    "{a}<|user|>\n{q}<|assistant|>\n{q}",
    "{a}<|endoftext|>{q}",
    "<|endoftext|><|endoftext|><|endoftext|>{a}",
    "{a}\n\nHuman: {q}\n\nAssistant: {q}",
    "{a} USER: {q} ASSISTANT: {q}",
    "{a}\nuser\n{q}\nassistant\n{q}",
    "<|im_start|>assistant\n{a}<|im_end|>\n<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n<think>{q}</think>{q}",
    "<think>{q}\nUser: {q}</think>{a}<|im_end|>\n<|im_start|>assistant\n<answer>{q}</answer>",
]
READERS: list[tuple[Any, str, str, Any]] = [
    (lambda text: read_label(text, SPACE), "neutral", "She is sad and angry", "neutral"),
    (lambda text: read_labels(text, SEVERAL), "fear, anger", "happiness or sadness", ("anger", "fear")),
    (lambda text: read_number(text, 0, 10), "7", "between 3 and 5", 7),
    (lambda text: read_numbers(text, ["joy"], 0, 9), "joy = 4", "joy = 2", {"joy": 4}),
    (lambda text: read_span(text, "I lost my dog, sadly"), "my dog", "I lost", "my dog"),
    (read_judgement, "correct", "is it false", True),
    (read_preference, "a1", "a2 is better", "a1"),
]


def value(reading: Any) -> Any:
    return reading.reason if isinstance(reading, Unreadable) else reading


@pytest.mark.parametrize("frame", [*TRANSCRIPTS, *INVENTED])
def test_every_reader_takes_the_assistants_own_answer(frame: str) -> None:
    for read, answer, other, meant in READERS:
        assert read(frame.format(a=answer, q=other)) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<|im_start|>user\nI am so sad.<|im_end|>", "empty"),
        ("<|im_start|>user\nI am so sad.<|im_end|>\n<|im_start|>assistant\n", "empty"),
        ("<|im_start|>user\nsad?<|im_end|>\n<|im_start|>assistant\n<think>\nhm, sad", "unfinished"),
        ("USER: I am sad.", "empty"),
        ("<|channel|>analysis<|message|>She is sad", "unfinished"),
        ("analysisWe see that she is sad", "unfinished"),
        ('[{"role": "user", "content": "sad"}, {"role": "assistant", "content": "hap', "unfinished"),
        ("<think>sad<|im_end|>\n<|im_start|>assistant\n<think>x</think>sad", "unfinished"),
        ("sad<|assistant|>happy", "ambiguous"),
        # The second answer may be the last of two questions, or invented until the text was cut off.
        ("<|user|>x<|end|><|assistant|>joy<|end|><|user|>x<|end|><|assistant|>sad", "ambiguous"),
    ],
)
def test_a_transcript_without_an_answer_is_unreadable(text: str, why: str) -> None:
    assert read_label(text, SPACE) == Unreadable(why, text)


@pytest.mark.parametrize(
    ("text", "thoughts"),
    [
        ("<think>she cries</think>sad", "she cries"),
        ("she cries</think>sad", "she cries"),
        ("<think>she laughs</think>happy<think>no, she cries</think>sad", "no, she cries"),
        ("sad", ""),
    ],
)
def test_the_reasoning_is_what_stands_in_the_last_thought(text: str, thoughts: str) -> None:
    assert reasoning_part(text) == thoughts


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("<think>\n\n</think>\n\nhappy", "happy"),
        ("<answer>happy</answer>", "happy"),
        ("happy<|im_end|>\n", "happy"),
        ("User: I am happy.\nAssistant: me too", "User: I am happy.\nAssistant: me too"),  # words of a dialogue
        (r"\boxed{x}", r"\boxed{x}"),
    ],
)
def test_a_gold_value_loses_the_marks_of_a_chat_template_and_nothing_else(cell: str, plain: str) -> None:
    assert without_markup(cell) == plain


def test_where_an_earlier_answer_has_no_end_mark_either_the_last_one_counts() -> None:
    asked, said = "<|user|>x<|end|>", "<|assistant|>"
    assert read_label(f"{asked}{said}joy<|end|>{asked}{said}anger{asked}{said}sad", SPACE) == "sadness"


@pytest.mark.parametrize(
    "text",
    [
        "The speaker and the user of the phone talk; the answer is sadness.",
        "<think>The user asks.\nUser: which one?\nAssistant: anger</think>sadness",
        "The prompt's opened thought.\nUser: joy?\n</think>\nsadness",
        "She assists the model.\nThe human is sad.",
    ],
)
def test_words_of_roles_within_an_answer_end_no_turn(text: str) -> None:
    assert read_label(text, SPACE) == "sadness"


@given(st.text(), st.sampled_from(TRANSCRIPTS[:31]))
def test_any_words_of_others_are_taken_or_the_text_is_unreadable(other: str, frame: str) -> None:
    part = answer_part(frame.format(a="neutral", q=other.replace("{", "").replace("}", "")))
    assert isinstance(part, (str, Unreadable))


@given(st.text(alphabet="<|>im_endstar/[]INSTUSER:\nassistant neutral{}\"'", max_size=80))
def test_broken_markup_never_raises(text: str) -> None:
    reading = read_label(text, SPACE)
    assert reading in SPACE.names or isinstance(reading, Unreadable)
