"""Sentences as people and models write them in the languages of the lexicon, beyond the examples on its pages."""

from __future__ import annotations

from typing import Any

import pytest

from affectllm.labels.names import understood
from affectllm.labels.reading import Unreadable, read_judgement, read_label, read_number
from affectllm.labels.taxonomies import EKMAN_6_CONTEMPT_NEUTRAL as SPACE

NONE = "no_label"


def value(reading: Any) -> Any:
    return reading.reason if isinstance(reading, Unreadable) else reading


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("de", "Die Emotion ist neutral.", "neutral"),
        ("de", "Ich kann keine Emotion erkennen.", NONE),
        ("de", "Leider kann ich das Video nicht sehen.", NONE),
        ("de", "Es gibt keinen Hinweis auf Wut.", NONE),
        ("de", "Die Person ist nicht traurig, sondern wütend.", "anger"),
        ("de", "Die Person wirkt weder traurig noch wütend, eher überrascht.", "surprise"),
        ("de", "Von Angst kann keine Rede sein.", NONE),
        ("de", "Sie ist überhaupt nicht wütend.", NONE),
        ("de", "Die Person scheint traurig zu sein, weil ihre Stimme leise ist.", "sadness"),
        ("de", "Wut, keine Trauer", "anger"),
        ("de", "Angst? Nein, Überraschung.", "surprise"),
        ("de", '{"emotion": "Ekel"}', "disgust"),
        ("de", "nicht anger", NONE),
        ("de", "Es tut mir leid, ich bin traurig, das zu hören.", NONE),
        ("fr", "La personne n'est pas triste, elle est en colère.", "anger"),
        ("fr", "Il n'y a pas de colère.", NONE),
        ("fr", "La personne n'a pas peur.", NONE),
        ("fr", "ni triste ni en colère, plutôt surpris", "surprise"),
        ("fr", "Elle est loin d'être heureuse.", NONE),
        ("fr", "On ne perçoit ni peur ni dégoût.", NONE),
        ("fr", "Je ne peux pas voir la vidéo.", NONE),
        ("fr", '{"émotion": "tristesse"}', "sadness"),
        ("fr", "La personne ne semble pas heureuse mais triste.", "sadness"),
        ("fr", "La peur est à exclure", NONE),
        ("it", "La persona non è triste, è arrabbiata.", "anger"),
        ("it", "Non c'è rabbia.", NONE),
        ("it", "Non sembra felice ma triste.", "sadness"),
        ("it", "Mi dispiace, non posso vedere il video.", NONE),
        ("it", "La rabbia è da escludere.", NONE),
        ("pt", "A pessoa não está triste, está com raiva.", "anger"),
        ("pt", "Não há raiva.", NONE),
        ("pt", "raiva, não tristeza", "anger"),
        ("pt", "Não parece feliz, mas triste.", "sadness"),
        ("hi", "व्यक्ति दुखी है, क्रोधित नहीं।", "sadness"),
        ("hi", "इसमें क्रोध नहीं है, बल्कि दुख है।", "sadness"),
        ("hi", "व्यक्ति को गुस्सा आ रहा है।", "anger"),
        ("hi", "व्यक्ति न तो दुखी है न ही क्रोधित।", NONE),
        ("hi", "वह खुश नहीं लग रहा है।", NONE),
        ("hi", "डर या घृणा का कोई भाव नहीं", NONE),
        ("ko", "화자는 슬픔이 아니라 분노를 느끼고 있습니다.", "anger"),
        ("ko", "슬픔이 느껴지지 않습니다.", NONE),
        ("ko", "그는 전혀 화난 것이 아닙니다.", NONE),
        ("ko", "분노는 아니고 슬픔입니다.", "sadness"),
        ("ko", "공포나 혐오는 전혀 없습니다.", NONE),
        ("ko", "anger가 아니다", NONE),
        ("ko", "이 사람은 슬퍼 보입니다.", "sadness"),
        ("en", "Non-verbal cues suggest anger.", "anger"),
        ("en", "There is no sign in the car of anger.", NONE),
    ],
)
def test_sentences(language: str, text: str, label: str) -> None:
    assert value(read_label(text, understood(SPACE, language))) == label


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        *[("Das ist nicht richtig.", False), ("teilweise richtig", "ambiguous"), ("Ja, das stimmt.", True)],
        *[("Ce n'est pas vrai.", False), ("Non.", False), ("en partie vrai", "ambiguous")],
        *[("Non è corretto.", False), ("Não está correto.", False), ("Sim, correto.", True)],
        *[("यह सही नहीं है।", False), ("गलत है", False), ("맞습니다.", True), ("아니요, 틀립니다.", False)],
        ("Non-verbal cues match the description.", "no_judgement"),
    ],
)
def test_judgements(text: str, holds: bool | str) -> None:
    assert value(read_judgement(text)) == holds


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[("7 von 10", 7), ("Bewertung: 7 (auf einer Skala von 0 bis 10)", 7), ("nicht 7, sondern 3", 3)],
        *[("7 sur 10", 7), ("7 su 10", 7), ("7 de 10", 7), ("não 7, mas 3", 3), ("7점", 7), ("10점 만점에 7점", 7)],
        *[
            ("mindestens 7", "ambiguous"),
            ("au moins 7", "ambiguous"),
            ("al menos 7", "ambiguous"),
            ("moins 0.5", "out_of_range"),
            ("0,5", 0.5),
            ("सात", 7),
        ],
    ],
)
def test_numbers(text: str, number: float | str) -> None:
    assert value(read_number(text, 0, 10)) == number
