"""Extract the assistant's own turn from a reply or a transcript in any chat markup.

Inference scripts save whole sequences, decoded with their prompt and their special tokens, or without the tokens; and
a model that was not stopped goes on with turns that it invents. A text that begins with somebody else's turn is a
transcript, and its last answer of the assistant counts; one that begins with the answer ends where that turn does.
"""

from __future__ import annotations

import ast
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from affectllm.labels.reading.spoken import any_word, compiled, pattern, words
from affectllm.labels.reading.unreadable import Unreadable

LEAD, ASSISTANT, THOUGHT, OTHER, END = "lead", "assistant", "thought", "other", "end"
_BEGINS = re.compile(
    r"<s>|<bos>|<bos_token>|<\|(?:begin_of_text|startoftext|bom|pad)\|>|\[[gs]?mask\]|<sop>"
    r"|<pad>|<unk>|\[round \d{1,3}\]|\]~!b\[|<[|｜](?:hy_)?begin[▁_ ]of[▁_ ]sentence[|｜]>|<</?sys>>"
    r"|\[/system_prompt\]",
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    r"(?=[<\[\]◁g])(?:"
    # Qwen, Yi, InternLM 2, SmolLM; Kimi; Llama 3 and 4; Gemma 2 to 4; Granite; Command R; Step;
    # Phi, GLM, Zephyr, DeepSeek
    r"<\|im_start\|>\s?(?P<chatml>[a-z]+)(?: name=\S+)?(?:<\|im_sep\|>)?"
    r"|<\|im_(?P<kimi>user|assistant|system)\|>(?:[a-z]*<\|im_middle\|>)?"
    r"|<\|(?:start_header_id|header_start)\|>\s?(?P<llama>[a-z]+)\s?<\|(?:end_header_id|header_end)\|>"
    r"|(?:<start_of_turn>|<\|turn>)\s?(?P<gemma>[a-z]+)"
    r"|<\|start_of_role\|>(?P<granite>[a-z]+)[^<]{0,200}<\|end_of_role\|>"
    r"|<\|start_of_turn_token\|>\s?<\|(?P<cohere>system|user|chatbot)_token\|>"
    r"|<\|bot\|>\s?(?P<step>system|human|user|assistant)\b"
    r"|<[|｜](?P<bars>system|developer|user|human|prompter|assistant|bot|model|chatbot|observation|tool|ipython)[|｜]>:?"
    r"|</?(?P<tag>user|human|system|assistant|bot|用户|ai)>:?"
    # Nemotron; EXAONE; Seed; MiniMax; Apertus; Kimi-Audio; Hunyuan; OpenChat
    r"|<extra_id_[01]>(?P<nemotron>system|user|assistant)\b"
    r"|\[\|(?P<exaone>system|user|assistant|tool)\|\]"
    r"|<seed:bos>\s?(?P<seed>[a-z]+)"
    r"|(?:<beginning_of_sentence>|\]~b\])(?P<minimax>[a-z]+)(?: name=\S+)?"
    r"|<\|(?P<apertus>system|developer|user|assistant)_start\|>"
    r"|<\|im_kimia_(?P<kimia>user|assistant)_msg_start\|>"
    r"|<[|｜]hy_(?P<hunyuan>user|assistant)[|｜]>"
    r"|gpt4 correct (?P<openchat>user|assistant):"
    # gpt-oss: roles, and channels of which only the final one answers
    r"|<\|start\|>(?P<oss>[a-z]+)(?:[^<]{0,80}(?=<\|(?:channel|message)\|>)(?:<\|message\|>)?)?"
    r"|<\|channel\|>\s?(?P<channel>[a-z]+)(?:[^<]{0,200}(?:<\|constrain\|>\s?[a-z]{0,20}\s?)?<\|message\|>)?"
    r"|(?P<asks>\[INST\]|\[SYSTEM_PROMPT\]|<reserved_10[26]>)"
    r"|(?P<thinks><\|start_thinking\|>|\[THINK\]|◁think▷|<unused94>(?:thought)?|<\|begin_of_thought\|>|<\|channel>[a-z]*)"
    r"|(?P<answers>\[/INST\]|<reserved_10[37]>|<\|end_thinking\|>|<\|start_(?:response|text)\|>|\[/THINK\]|◁/think▷"
    r"|<unused95>|<\|end_of_thought\|>|<\|begin_of_solution\|>|<channel\|>)"
    r"|(?P<end><\|(?:im_end|endoftext|eot_id|eom_id|end_of_text|end|eot|eom|return|call|end_of_turn|end_of_turn_token"
    r"|end_response|end_text|end_of_solution|eoa|eoh|eos|endofturn)\|>|<end_of_turn>|<turn\|>|</s>|<eo[sahp]>"
    r"|<\|(?:system|developer|user|assistant)_end\|>|<\|im_msg_end\|>|\[\|endofturn\|\]|<seed:eos>|<end_of_sentence>"
    r"|\[e~\[|<end_of_utterance>|<eos_token>|<[|｜]end[▁_ ]of[▁_ ]sentence[|｜]>|\[eos\]"
    r"|<[|｜]hy_place[▁_ ]holder[^>]{0,20}>))",
    re.IGNORECASE,
)
# The same in words: at the beginning of a line, in capitals (Vicuna) also within it.
_WORDED = compiled(
    lambda: (
        rf"(?:^|(?<=\s))#{{2,4}}[ \t]{{0,2}}(?P<heading>{_anybody()})[ \t]?(?:[:：]|$)"
        rf"|^[ \t]{{0,9}}\*{{0,2}}<?(?P<line>{_anybody()})>?\*{{0,2}}[ \t]?[:：]\*{{0,2}}"
        r"|(?<=[\s>])(?P<capitals>(?-i:USER|HUMAN|ASSISTANT|SYSTEM)):"
    ),
    re.IGNORECASE | re.MULTILINE,
)
# What is left of ChatML, Llama 3 and Gemma when special tokens are skipped: the name of the role alone.
_BARE_START = re.compile(r"\s*(?:system|developer|user|human)[ \t]*\n")
_BARE = re.compile(
    r"(?:^[ \t]*|(?<=\S))(?P<bare>assistant|user)[ \t]*(?=\n|\Z)|^(?P<role>system|model)[ \t]*(?=\n|\Z)", re.M
)
_BARE_LATER = re.compile(r"^[ \t]*(?P<bare>user|human|assistant)[ \t]*(?=\n|\Z)", re.M)
_PREAMBLE = compiled(lambda: pattern("preamble"), re.IGNORECASE)
THOUGHTS = "think(?:ing)?|thoughts?|reasoning|reflection|analysis|scratchpad|seed:think"
"""Names of the tags around reasoning, as a pattern."""
_OPENS_OR_CLOSES = re.compile(rf"<(?P<closes>/?)(?:{THOUGHTS})>", re.IGNORECASE)
_GLUED, _GLUED_FINAL = re.compile(r"\s*analysis(?=[A-Z\"'])"), "assistantfinal"  # gpt-oss without special tokens
_MESSAGES = re.compile(r"\s*[\[{].{0,400}?[\"'](?:role|from)[\"']\s*:\s*[\"'][a-z]+[\"']", re.DOTALL)
_LONGEST_LITERAL = 100_000


@cache
def _roles() -> Mapping[str, str]:
    """Map names of roles and channels to ``assistant`` or ``other``; of channels, only the final one answers."""
    return {**dict.fromkeys(words("answers"), ASSISTANT), **dict.fromkeys(words("asks"), OTHER), "final": ASSISTANT}


def _anybody() -> str:
    return any_word("answers") + "|" + any_word("asks")


class Part(NamedTuple):
    """One part of a transcript: the role that speaks, its words, and the kind of mark that begins it."""

    role: str
    text: str
    mark: str = ""


def own_turn(text: str) -> str | Unreadable:
    """Return the assistant's own turn: of a transcript the last one, else what comes before any further turn.

    ``empty`` where nobody answers, ``unfinished`` where the reasoning never came to an answer, ``ambiguous`` where
    somebody's words stand before an assistant's turn and nothing tells whose.
    """
    if _MESSAGES.match(text):
        parts = _messages(text)
        return Unreadable("unfinished", text) if parts is None else _answer(parts, text) if parts else text
    if _GLUED.match(text):
        final = text.rfind(_GLUED_FINAL)
        return Unreadable("unfinished", text) if final < 0 else text[final + len(_GLUED_FINAL) :]
    begun = _BEGINS.match(text.lstrip()) is not None
    lead, *others = _parts(_BEGINS.sub("", text))
    marks = [part for part in others if part.role != END]
    if not lead.text.strip():
        return _answer(others, text) if marks else lead.text
    closed = bool(others) and others[0].role == END
    if not marks or closed:
        return lead.text
    if marks[0].role == OTHER:
        is_transcript = begun or (others[0].mark != "tag" and _PREAMBLE().search(lead.text))
        return _answer([Part(OTHER, ""), *others], text) if is_transcript else lead.text
    if marks[0].role == THOUGHT or marks[0].mark == "answers":
        return _answer([Part(OTHER, ""), *others], text)
    return Unreadable("ambiguous", text)


def has_marks(text: str) -> bool:
    """Whether special tokens of a chat template stand in a text."""
    return "<" in text and (_SPECIAL.search(text) or _BEGINS.search(text)) is not None


def _answer(parts: Sequence[Part], raw: str) -> str | Unreadable:
    """Return the answer of the assistant's last turn, or of its first where the assistant begins."""
    begins = next(part.role for part in parts if part.role != END)
    turns = [list(turn) for asked, turn in groupby(parts, lambda part: part.role == OTHER) if not asked]
    turns = [turn for turn in turns if any(part.role != END for part in turn)]
    if not turns:
        return Unreadable("empty", raw)
    *earlier, turn = turns if begins == OTHER else turns[:1]
    answer = next((part.text for part in turn if part.role == ASSISTANT and part.text.strip()), None)
    if answer is None:
        return Unreadable("unfinished" if any(part.text.strip() for part in turn) else "empty", raw)
    # Where each turn but the last one is ended by its mark, a model may have invented the last until it was cut off.
    if earlier and turn[-1].role != END and all(one[-1].role == END for one in earlier):
        return Unreadable("ambiguous", raw)
    return answer


def _parts(text: str) -> list[Part]:
    """Split a text at its marks; the first part is what precedes them. End marks at the very beginning are dropped."""
    marks = sorted(_marks(text), key=lambda mark: (mark[0], -mark[1]))
    parts, role, kind, place = [], LEAD, "", 0
    for start, end, name, sort in marks:
        if start < place:
            continue
        parts.append(Part(role, text[place:start], kind))
        role, kind, place = name, sort, end
    parts.append(Part(role, text[place:], kind))
    while len(parts) > 1 and not parts[0].text.strip() and parts[1].role == END:
        parts[:2] = [Part(LEAD, parts[1].text)]  # padding on the left
    return parts


def _marks(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield (start, end, role that begins, kind of mark), unordered; worded marks within a thought do not count."""
    if "<" in text or "[" in text or "◁" in text:
        for match in _SPECIAL.finditer(text):
            yield match.start(), match.end(), _role(match), str(match.lastgroup)
    thoughts = list(_thoughts(text))
    begins = [start for start, _ in thoughts]
    bare = _BARE if _BARE_START.match(text) else _BARE_LATER
    for pattern_ in (_WORDED(), bare):
        for match in pattern_.finditer(text):
            within = bisect_right(begins, match.start()) - 1
            if within < 0 or match.start() >= thoughts[within][1]:
                yield match.start(), match.end(), _role(match), "words"


def _role(match: re.Match[str]) -> str:
    group = str(match.lastgroup)
    fixed = {"asks": OTHER, "thinks": THOUGHT, "answers": ASSISTANT, "end": END}
    if group in fixed:
        return fixed[group]
    if group == "tag" and match.group().startswith("</"):
        return END
    return _roles().get(match[group].lower(), THOUGHT)


def _thoughts(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of reasoning; the first may lack its opening tag, which many chat templates put into the prompt.

    A thought that is never closed is none: what follows it may be turns.
    """
    start: int | None = 0
    for match in _OPENS_OR_CLOSES.finditer(text):
        if match["closes"]:
            if start is not None:
                yield start, match.end()
            start = None
        elif not start:
            start = match.start()


def _messages(text: str) -> list[Part] | None:
    """Return the turns of a JSON list of messages; None where it is cut off, and ``[]`` where it is something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text.strip()) if len(text) <= _LONGEST_LITERAL else None
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            value = None
    return None if value is None else list(_turns_of(value))


def _turns_of(value: Any) -> Iterator[Part]:
    if isinstance(value, list):
        for item in value:
            yield from _turns_of(item)
    elif isinstance(value, dict):
        role = value.get("role", value.get("from"))
        if isinstance(role, str) and ("content" in value or "value" in value):
            yield Part(_roles().get(role.lower(), THOUGHT), _words(value.get("content", value.get("value"))))
        else:
            for item in value.values():
                yield from _turns_of(item) if isinstance(item, (list, dict)) else ()


def _words(content: Any) -> str:
    if isinstance(content, list):
        return "".join(_words(part) for part in content)
    if isinstance(content, dict):
        return _words(content.get("text", ""))
    return content if isinstance(content, str) else ""
