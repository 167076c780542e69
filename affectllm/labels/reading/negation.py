"""The words around a label that deny it, weaken it or stress it, as kinds of tokens.

``not angry``, ``neither angry nor sad``, ``rather than sad`` and ``no sign of fear, anger or disgust`` deny; ``might be
sad`` and ``a hint of sadness`` weaken; ``most likely angry`` and ``overall, angry`` stress. ``No doubt angry`` and
``not only angry`` deny nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from affectllm.labels.reading import chinese


class Kind(Enum):
    """What a token does to the labels near it."""

    LABEL = auto()
    DENY = auto()  # up to a comma: "not anger, sadness" means sadness
    DENY_LIST = auto()  # beyond commas: "no sign of anger, fear or disgust" means none of them
    FREE = auto()  # ends a denial: "could not hide his anger"
    WEAK = auto()
    STRONG = auto()
    TURN = auto()  # begins a new statement: "but", "because"
    JOIN = auto()
    OR = auto()
    FILLER = auto()
    COMMA = auto()
    COLON = auto()
    WORD = auto()


def _kinds(**listed: str) -> dict[str, Kind]:
    return {word.strip(): Kind[kind] for kind, text in listed.items() for word in text.split(",")}


WORDS: Mapping[str, Kind] = _kinds(
    DENY="not,never,no,cannot,hardly,barely,unlike,unlikely,nothing,non,isnt,dont,doesnt",
    DENY_LIST="neither,nor,without,lack,lacks,lacking,absence,excluding,except,none",
    FREE="only,just,merely,simply,hide,hides,hiding,hid,conceal,conceals,concealing,contain,control,suppress,mask,masks,help",
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
PHRASES: Mapping[str, Kind] = _kinds(
    DENY="rather than,instead of,as opposed to,far from,anything but",
    DENY_LIST="no sign of,no signs of,no evidence of,no trace of,no traces of,no indication of,no indications of,"
    "no hint of,no hints of,free of,free from,devoid of,rule out,rules out,ruled out,ruling out",
    FREE="no doubt,no question,no wonder,without doubt,without a doubt,without any doubt,without question,not only,"
    "not just,not merely,not simply,nothing but,whether or not,if not,not to mention",
    WEAK="a bit,a little,less likely",
    STRONG="most likely,most probably,most probable,more likely,in conclusion,to conclude,in summary,in fact,"
    "in reality,answer is,final answer,my answer,i choose,i would choose,i pick,i would pick,i select,i'd say,"
    "i would say,leaning towards,leaning toward,best described as,best described by,above all,most prominent,"
    "main emotion,primary emotion,most fitting,label is",
)
HAN: Mapping[str, Kind] = {
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
# What follows a label and denies it: "anger is absent", "anger can be ruled out", "anger is not the answer".
AFTER = (
    r"[\s,]{1,3}(?:(?:is|was|are|were|seems?|appears?|can|could|may|to|be|also|very|clearly|therefore)\s+){0,4}"
    r"(?:absent|unlikely|ruled out|excluded|missing|lacking|"
    r"(?:not|n't)\s+(?:present|shown|evident|visible|there|the (?:right |correct |main |best )?"
    r"(?:answer|emotion|label|case|choice|option))|"
    r"(?:does|do|did)(?: not|n't) (?:fit|apply|match|occur|appear))(?![^\W\d_])"
    r"|\s{0,2}(?:isn't|wasn't)\s+(?:present|shown|evident|visible|there|"
    r"the (?:right |correct )?(?:answer|emotion|label))"
    r"|\s{0,2}(?:的可能性不大|不存在|可以排除|被排除|不明显)"
)
