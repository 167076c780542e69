"""Spanish, Arabic and Japanese: the small words that deny, weaken or turn, and the forms of Arabic words.

Of further languages only the words that deny: models answer in the user's language and keep the English label.

Spanish and Arabic deny before the label, as English does, and their words are further words of ``negation``. Japanese
denies after the label, at the end of the clause (怒りではない), which takes a pattern of its own.
"""

from __future__ import annotations

import re

_ARABIC = re.compile(r"[\u0621-\u064a]{2,}")
_BEFORE = ("", "و")  # "and" is written together with the word that follows

WORDS: dict[str, str] = {
    "DENY": "mangel,fehlende,fehlender,manque,absence,mancanza,assenza,ausência,nada,niente,nincs,"
    "nicht,kein,keine,keinen,keinem,keiner,keines,nie,niemals,kaum,pas,ne,jamais,mai,não,nao,niet,geen,"
    "nooit,inte,ingen,inget,ikke,aldrig,aldri,icke,żaden,żadna,не,ні,никакой,никакого,никакая,никакую,вряд,bukan,tidak,không,chẳng,nu,"
    "nici,ei,δεν,όχι,μη,לא,אין,نه,نیست,नहीं,değil,yok,"
    "nunca,jamás,jamas,tampoco,ningún,ningun,ninguna,ninguno,cero,apenas,"
    "لا,ليس,ليست,لم,لن,غير,وليس,وليست,ولم,ولن,وغير",
    "DENY_LIST": "weder,noch,ohne,keinerlei,sans,aucun,aucune,senza,né,nessun,nessuna,nessuno,sem,nem,nenhum,nenhuma,"
    "zonder,utan,uden,uten,bez,brak,без,ни,нет,отсутствует,отсутствие,tanpa,fără,χωρίς,בלי,ללא,"
    "sin,ni,ausencia,falta,carece,carecen,excepto,salvo,"
    "بدون,دون,بلا,عدم,ولا,وبدون,ودون,وبلا,باستثناء,انعدام,يخلو",
    "FREE": "solo,sólo,solamente,oculta,ocultar,فقط",
    "WEAK": "quizás,quizá,podría,posiblemente,tal vez,ربما,قد",
    "TURN": "pero,sino,aunque,porque,mientras,بل,لكن,ولكن,لأن,وإنما,إنما,بينما,رغم",
    "JOIN": "und,sowie,et,och,og,y,e,و",
    "OR": "oder,ou,eller,o,أو,أم",
    "FILLER": "la,el,los,las,un,una,أي",
}
"""Kind of ``negation.Kind`` → words."""
PHRASES: dict[str, str] = {
    "DENY": "anstelle von,anstatt,das gegenteil von,gegenteil von,au lieu de,le contraire de,l'opposé de,loin de,"
    "invece di,il contrario di,l'opposto di,ao invés de,em vez de,o contrário de,o oposto de,non è,não é,вместо,"
    "lo contrario de,lo opuesto de,lo opuesto a,todo lo contrario de,lejos de,menos que,عكس,نقيض,"
    "en lugar de,en vez de,nada de,بدلا من,عوضا عن,ما في,ما فيه",
    "DENY_LONG": "no sé si,no se si,no creo que,no está claro si,no estoy seguro de,"
    "no hay señales de,no hay indicios de",
    "FREE": "no solo,no sólo,no solamente,sin duda,sin ninguna duda,ليس فقط,لا شك,بلا شك,بدون شك",
    "WEAK": "más que",
    "STRONG": "lo más probable,la respuesta es",
}

AFTER = (
    r"\s(?:no\s(?:está|esta|es|se|aparece|parece|existe)(?!\w)|(?:está|esta|es|queda|resulta|parece)\s(?:muy\s|poco\s)?"
    r"(?:ausente|descartad[oa]|incorrect[oa]|improbable|imposible|dudos[oa]|equivocad[oa])|es\spoco\sprobable)"
    r"|\s(?:غير|ليس|ليست|مستبعد|مستبعدة)\s?(?:(?:ال)?(?:موجود|واضح|حاضر|ظاهر|صحيح|محتمل|وارد))?"
    r"|\s(?:(?:ist|liegt|scheint|wirkt|passt|wäre)\s)?nicht(?!\w)|\s(?:fehlt|fehlen|manque|manca|falta)(?!\w)|\sist\s(?:ausgeschlossen|unwahrscheinlich|falsch|abwesend)"
    r"|\sn'est\spas|\sest\s(?:absente?|exclue?|improbable|fausse|faux)|\snon\s(?:è|c'è|appare|sembra)"
    r"|\s(?:è|é|está)\s(?:assente|ausente|esclus[oa]|excluíd[oa]|improbabile|improvável)|\snão\s"
    r"|\s(?:не|нет|отсутствует|исключен[ао]?|маловероятн[ао]?)(?!\w)|\s(?:değil|yok|नहीं|नही)(?!\w)"
    r"|\s?(?:이|가|은|는)?\s?(?:아니|아님|아닙|없)|(?:と|の)(?:は)?(?:正?反対|逆)"
)
_NOT_DENIED = (  # no doubt of it, nothing but it, cannot hide it, not only it, might be it
    r"(?:違いな|違いあり|しかな|しかあり|隠せ|隠しき|抑え|堪え|こらえ|だけで|のみな|他なら|ほかなら|かもし)"
)
_VERBS = "感見言思含認該当表現出確判断考読取特可能性存在明確強十分的何性"


DENIED_BEFORE = r"(?<!\w)(?:menos|moins de|weniger|meno|mindre|minder|меньше|أقل)(?:\s(?:de|d'|من))?\s$"
"""What stands right before a label that it denies."""
_FIRST_PERSON = (
    r"(?:^|\W)(?:siento|sentí|tengo|estoy|me (?:da|causa|produce|llena de|alegra|siento))\s(?:mucha?\s|gran\s|una?\s)?$"
)
ASIDES: tuple[tuple[str, str], ...] = (
    (_FIRST_PERSON, r"(?!\sen(?!\w))"),
    (r"(?:^|\W)(?:mi|nuestra|nuestro)\s$", ""),
    (r"(?:^|\W)con (?:mucha?\s|gran\s)?$", r"\s(?:l[eo]s?|te|os)\s"),
    (r"(?:^|\s)أشعر (?:أنا )?ب?(?:ال)?$", ""),
    (r"(?:^|\s)(?:أنا|إنني|إني)\s$", ""),
    (r"(?:^|[、。\s])(?:私|わたし|僕)(?:は|も|としては)?(?:とても|大変|本当に)?$", r"を(?:感じ|覚え|抱い)"),
    (r"ことに(?:とても|大変)?$", ""),
)
"""(Before, after) of a label that is a feeling of the one who answers, or a courtesy; as ``english.ASIDES``."""


def japanese_after(labels: str) -> str:
    """The pattern of what follows a label and denies it in Japanese, over further labels: 怒りも悲しみもない.

    Args:
        labels: a pattern of the labels written with kana or kanji.
    """
    reach = rf"[ぁ-ん{_VERBS}]{{0,14}}?"
    ends = r"(?:ない|なく|なし|なかっ|ません|ず(?=[、,]|$)|にくい|低い|以外|除く|違う|違い)"
    return (
        rf"\s?(?:(?:でも|も|や|と|か|または|、)(?:{labels})){{0,6}}(?!{reach[:-1]}?{_NOT_DENIED})"
        rf"(?:{reach}{ends}|(?:です|ます)?か?\s?[:?(]\s?(?:いいえ|なし))"
    )


def arabic_forms(word: str) -> tuple[str, ...]:
    """An Arabic noun with article, preposition or "and" before it, or the ending of an object; () for other words."""
    if not _ARABIC.fullmatch(word):
        return ()
    joined = (word,) if word.startswith("ال") else (word, f"ال{word}", f"بال{word}", f"ب{word}", f"{word}ا")
    return tuple(before + form for before in _BEFORE for form in joined)
