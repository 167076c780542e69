"""The words around a label that deny it, weaken it or stress it, as kinds of tokens.

``not angry``, ``neither angry nor sad``, ``rather than sad`` and ``no sign of fear, anger or disgust`` deny; ``might be
sad`` and ``a hint of sadness`` weaken; ``most likely angry`` and ``overall, angry`` stress. ``No doubt angry`` and
``not only angry`` deny nothing. What is only supposed (``if he were angry``, ``unclear whether``, ``pretends to be``)
is as little stated as what is denied; courtesies (``I'm afraid I cannot``, ``happy to help``) name no label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto

from affectllm.labels.reading import chinese, english, languages


class Kind(Enum):
    """What a token does to the labels near it."""

    LABEL = auto()
    DENY = auto()  # up to a comma: "not anger, sadness" means sadness
    DENY_LIST = auto()  # beyond commas: "no sign of anger, fear or disgust" means none of them
    DENY_LONG = auto()  # to the end of the statement: "nothing in this long clip suggests that he is angry"
    FREE = auto()  # ends a denial: "could not hide his anger"
    WEAK = auto()
    STRONG = auto()
    LISTED = auto()  # begins a list of what could be answered: "options: anger, fear"
    TURN = auto()  # begins a new statement: "but", "because"
    JOIN = auto()
    OR = auto()
    FILLER = auto()
    COMMA = auto()
    COLON = auto()
    WORD = auto()


def _kinds(listed: Mapping[str, str]) -> dict[str, Kind]:
    return {word.strip(): Kind[kind] for kind, text in listed.items() for word in text.split(",")}


_WORDS: Mapping[str, str] = dict(
    DENY="not,never,nothing,unsure,uncertain,no,cannot,hardly,barely,unlike,unlikely,non,anti,isnt,dont,doesnt,didnt,wasnt,arent,werent,cant,wont,"
    "aint,couldnt,wouldnt,shouldnt,hasnt,havent,nobody,zero,wrong,false,incorrect,untrue,absent,refuses,refuse,fails,fail,"
    "failing,tries,trying,ceased,ceases,stopped,stops,quit,pretends,pretend,pretending,pretended,feigns,feigned,feigning,fake,faking,wishes,wish,if,unless",
    DENY_LONG="whether,unclear",
    LISTED="options,choices,candidates,among",
    DENY_LIST="neither,nor,without,lack,lacks,lacking,absence,excluding,except,none",
    FREE="only,just,merely,simply,hide,hides,hiding,hid,conceal,conceals,concealing,contain,control,suppress,suppresses,suppressing,restrain,restrains,restraining,stifle,stifles,stifling,mask,masks,help",
    WEAK="might,may,maybe,perhaps,possibly,possible,could,potentially,slight,slightly,somewhat,hint,hints,trace,traces,"
    "tinge,tinged,touch,undertone,undertones,seemingly,some,less,than",
    STRONG="mainly,primarily,mostly,predominantly,predominant,dominant,prevailing,overall,ultimately,therefore,thus,"
    "hence,actually,strongest",
    TURN="but,however,although,though,while,whereas,yet,because,since,nevertheless,nonetheless,instead,who,which,when,"
    "then,despite",
    JOIN="and,plus",
    OR="or",
    FILLER="a,an,the,very,any,so,quite,really,rather,even,also,both,either,kind,sort,of,as,well,his,her,their",
)
_PHRASES: Mapping[str, str] = dict(
    WORD="i'm afraid,i am afraid,im afraid,sad to say,happy to help,happy to assist,happy to answer,happy to try,"
    "i'd be happy to,i would be happy to,i'll be happy to,i am happy to,i'm happy to,no surprise that,"
    "surprise surprise,as if,as though",
    DENY="rather than,instead of,as opposed to,far from,anything but,w/o,would be if,hard to hear,hard to see,"
    "the absence of,"
    "used to be,used to feel,once was,would have been,"
    "had he been,had she been,had they been,had it been,were he,were she,were they,were it,"
    "would have said,would be called,would expect,might expect,"
    "was expected,everything but,all but,asked about,asked whether,asks about,question mentions,"
    "question asks,question is about,prompt mentions",
    DENY_LONG="no indication,no evidence,no reason,no sign,no signs,no clear sign,no clear signs,don't think,"
    "do not think,don't believe,do not believe,can't say,cannot say,can't tell,cannot tell,can't determine,"
    "cannot determine,i'm not sure,i am not sure,i don't know,i do not know,hard to say,hard to tell,difficult to say,"
    "difficult to tell,whether or not,nothing in,nothing about,nothing here,nothing that,nothing suggests,"
    "nothing indicates,there is nothing,unable to tell,unable to determine,unable to say,impossible to,i doubt,"
    "doubt that,doubts that,doubtful that,insufficient evidence,insufficient information,"
    "not enough evidence,not enough information",
    LISTED="choose from,choose one of,one of the following,selected from,pick from",
    DENY_LIST="no sign of,no signs of,no evidence of,no trace of,no traces of,no indication of,no indications of,"
    "no hint of,no hints of,free of,free from,devoid of,rule out,rules out,ruled out,ruling out",
    FREE="no doubt,no question,no wonder,without doubt,without a doubt,without any doubt,without question,not only,"
    "not just,not merely,not simply,nothing but,if not,"
    "hold back,holds back,holding back,held back,fight back,fights back,fighting back,"
    "hold in,holding in,keep down,choke back,choking back,not to mention",
    WEAK="a bit,a little,less likely",
    STRONG="most likely,most probably,most probable,more likely,in conclusion,to conclude,in summary,in fact,"
    "in reality,answer is,final answer,my answer,i choose,i would choose,i pick,i would pick,i select,i'd say,"
    "i would say,leaning towards,leaning toward,best described as,best described by,above all,most prominent,"
    "main emotion,primary emotion,most fitting,label is,best match is,best is,best one is,"
    "best fit is,best option is,best choice is,correct one is,right one is",
)
WORDS: Mapping[str, Kind] = _kinds(languages.WORDS) | _kinds(_WORDS)
PHRASES: Mapping[str, Kind] = _kinds(languages.PHRASES) | _kinds(_PHRASES)
_HAN: Mapping[str, Kind] = {
    **dict.fromkeys(chinese.NO_DENIAL, Kind.WORD),
    **dict.fromkeys(chinese.DENIES, Kind.DENY),
    **dict.fromkeys(chinese.DENIES_LISTS, Kind.DENY_LIST),
    **dict.fromkeys(chinese.WEAKENS, Kind.WEAK),
    **dict.fromkeys(chinese.STRESSES, Kind.STRONG),
    **dict.fromkeys(chinese.TURNS, Kind.TURN),
    **dict.fromkeys(chinese.JOINS, Kind.JOIN),
    **dict.fromkeys(("或", "或者", "还是"), Kind.OR),
    **dict.fromkeys(("的", "很", "非常", "十分", "是", "有", "些"), Kind.FILLER),
}
HAN: Mapping[str, Kind] = {**{chinese.traditional(word): kind for word, kind in _HAN.items()}, **_HAN}
YES = frozenset(
    (
        "yes",
        "true",
        "correct",
        "right",
        "present",
        "detected",
        "applies",
        "affirmative",
        "1",
        "1.0",
        "y",
        "x",
        "✓",
        "✔",
        "✅",
        "☑",
    )
) | frozenset(("是", "有", "对", "對", "sí", "si", "verdadero", "نعم", "はい", "あり"))
NO = frozenset(
    (
        "no",
        "false",
        "wrong",
        "incorrect",
        "absent",
        "none",
        "not present",
        "not detected",
        "not at all",
        "nope",
        "0",
        "0.0",
        "0%",
        "n",
        "✗",
        "✘",
    )
) | frozenset(("❌", "×", "否", "无", "無", "不", "不是", "没有", "沒有", "falso", "لا", "いいえ", "なし"))
"""What is said of a label, in a list of all of them or as the answer to a question."""
_ALONE = "|".join(re.escape(word) for word in sorted(NO - {"n"}, key=len, reverse=True))
# What stands right before a label and denies it: "0% anger", "less anger", "the opposite of anger".
BEFORE = f"{english.DENIED_BEFORE}|{languages.DENIED_BEFORE}"
ASIDES = (*english.ASIDES, *languages.ASIDES, *chinese.ASIDES)
# What follows a label and denies it: "anger is absent", "anger can be ruled out", "anger: no".
AFTER = (
    r"[\s,]{1,3}(?:(?:is|was|are|were|seems?|appears?|can|could|may|would|to|be|also|very|clearly|therefore)\s+){0,4}"
    r"(?:absent|unlikely|less likely|ruled out|excluded|missing|lacking|wrong|incorrect|false|out(?=\s{0,2}(?:$|,))|"
    r"(?:not|n't)\s+(?:present|shown|evident|visible|there|likely|it(?=\s{0,2}(?:$|,))|correct|right|detected|applicable|clear|"
    r"apparent|the (?:right |correct |main |best )?(?:answer|emotion|label|case|choice|option))|"
    r"(?:does|do|did)(?: not|n't) (?:fit|apply|match|occur|appear|describe|capture|cover|suit|reflect|"
    r"characteri[sz]e|belong|exist|work|express|explain|feature|figure|come into|hold|do))(?![^\W\d_])"
    r"|\s{0,2}(?:isn't|wasn't)\s+(?:it(?=\s{0,2}(?:$|,))|what|how|present|shown|evident|visible|there|"
    r"the (?:right |correct )?(?:answer|emotion|label))"
    r"|\s{1,2}(?:if(?! anything)|unless)(?=\s)"
    r"|\s{0,2}的?(?:情绪|情感)?(?:并?不(?:明显|存在|太?可能|成立|符合|正确|对)|的?可能性(?:不大|很小|较?低|不高)"
    r"|(?:可以|可|被)?排除|是错误?的)"
    r"|的?(?:反面|相反|反义词?)|\s?(?:是|属于)?(?:不可能|不太可能)的?(?=$|[，,])"
    r"|(?:的情绪|的情感)?(?:不起来|无关|不符|(?:程度)?(?:为|是)?(?:零|0)(?![.\d]))"
    rf"|{english.DENIED_AFTER}|{languages.AFTER}"
    rf"|吗?[\s,:=(\[→|\-–—?]{{0,4}}(?:{_ALONE})(?=\s{{0,2}}(?:$|[,|)\]]))"
)
