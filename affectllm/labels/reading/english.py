"""English words around a label by which an answer speaks of itself, comments on its sentence, or is only polite.

``Sadly, I cannot hear it``, ``I was surprised to find no sound``, ``Happy to clarify`` and ``it is a shame that`` state
nothing of what somebody in the clip feels. Each pattern is a pair: what stands before the label, and what after it.
"""

from __future__ import annotations

import re

_MUCH = (
    r"(?:(?:just|really|truly|very|so|quite|also|a|an|any|some|no|bit|little|rather|only|not|too|more|than|always|still|"
    r"extremely|deeply|genuinely|sincerely|somewhat|pretty|most|feeling|being|both|of|great|much|such|"
    r"my|your|to be|to hear|in|with|full)\s){0,4}"
)
_BE = (
    r"(?:'m|'re|'d be|'ll be|'ve been|m| am| are| was| were| be| would be| will be| have been| had been| do| did"
    r"| feel| felt| have| had| possess| experience| experienced| show| remain| stay| become| became|"
    r" (?:must|should|have to|need to|try to|aim to|want to|can) (?:be|remain|stay))"
)
_SELF = r"(?:^|[^\w'])(?:i|we)"
_PERCEIVED = r"(?!\s(?:in|from|behind|here|there|throughout|coming|across)(?!\w))"  # "I feel sadness in her voice"
_HELP = (
    r"help|assist|answer|try|clarify|elaborate|explain|discuss|provide|share|analy[sz]e|offer|oblige|continue|support|"
    r"inform|report|say|admit|announce|confirm|serve|oblige|do (?:so|that|this|it)|be (?:of|able)|look (?:at|into)|"
    r"take (?:a|another)|give (?:it|you|my|a)|have (?:a|another)|chat|talk|guide|walk you"
)
_NEXT = (
    r"i|we|you|he|she|they|it|the|this|that|these|those|there|no|not|nothing|none|nobody|neither|my|your|our|its|his|"
    r"her|both|some|most|all|a|an|without|enough|for|missing|lacking|silent|empty|absent|unavailable|too|cannot|can't|"
    r"couldn't|unable|unclear|inaudible|unreadable|corrupted|broken"
)
_COMMENT_BEFORE = (
    r"(?:^\W{0,3}|[,;:(—-]\s?|(?:^|\W)(?:and|but|so|yet|because|that|while|is|are|was|were|has|have|had|there's|it's|i|we|"
    r"i'm|we're|can|could|will|would|do|does|most|quite|very|rather)\s)$"
)
_GREETINGS = (
    "days?|evening|week|new year|birthday|holidays?|christmas|easter|reading|coding|learning|weekend|[a-z]{3,6}day"
)
_WHAT_FOLLOWS = r"\s(?:to|that|how)(?!\w)"
_WHO = r"\s(?:ai|assistant|model|observer|tool|perspective|stance|standpoint|language model)(?!\w)"
ASIDES: tuple[tuple[str, str], ...] = (
    (rf"{_SELF}{_BE}\s{_MUCH}$", _PERCEIVED),
    (rf"{_SELF}(?:'d|(?:\s(?:do|really|truly|just|must|can|would|also|certainly|sincerely)){{0,2}})\s$", ""),
    (rf"(?<!\w)(?:mak(?:es?|ing)|made|leaves?|left|keeps?)\s(?:me|us)\s(?:feel\s)?{_MUCH}$", ""),
    (rf"(?<!\w)fill(?:s|ed) (?:me|us) with\s{_MUCH}$", ""),
    (r"(?<!\w)(?:my|our)\s(?:(?:own|deep|deepest|great|sincere|utmost|only|biggest)\s)?$", r"(?!\s?:)"),
    (r"(?<!\w)to (?:my|our|everyone's|no one's|your)\s(?:(?:great|utter)\s)?$", ""),
    (rf"(?<!\w)you(?:'ll| will| may| might| would| can| could)\s(?:also\s)?be\s{_MUCH}$", r"\s(?:to|that|if)(?!\w)"),
    (
        rf"(?<!\w)(?:you|you're|you are|you feel)\s{_MUCH}$",
        r"\swith (?:this|that|my|our|the|another|these|it)(?!\w)",
    ),
    ("", rf"\sto\s(?:{_HELP})(?!\w)"),
    (
        r"^\W{0,3}(?:(?:always|more than|very|only too|so|really|most)\s)?$",
        r"\s(?:to(?=\s?(?:$|[,!]))|to (?:hear|learn|read|note|meet|see (?:that|you|this)|"
        r"find (?:that|no|the (?:file|audio|"
        r"clip|recording|video)))|that i|that we|for you|if i)(?!\w)",
    ),
    (r"(?:it is|it's|it was|is) with (?:\w+ )?$", _WHAT_FOLLOWS),
    (r"(?<!\w)with (?:great |deep |much )?$", r"\s(?:that )?(?:i|we)(?!\w)"),
    (r"(?:^|[^\w'])(?:it(?:'s| is| was| would be)|that(?:'s| is))\s(?:such\s)?an?\s(?:\w+\s)?$", _WHAT_FOLLOWS),
    (r"(?:^|[^\w'])what an?\s(?:\w+\s)?$", ""),
    (r"(?<!\w)(?:sorry|condolences) (?:for|about) (?:your|the|this|any)\s$", ""),
    (r"(?:^|\s)(?:as|be|remain|from|with|am|being)\s(?:an?\s)?$", _WHO),
)
"""(Before, after) of any label."""
ASIDES_OF: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(
        ("sadly", "happily", "curiously", "joyfully", "hopefully", "proudly", "confidently", "gratefully", "worriedly"),
        ((_COMMENT_BEFORE, rf"(?:\s?(?:[,.!)—-]|$)|\s(?:{_NEXT})(?!\w))"),),
    ),
    "content": (
        (r"(?:^|\W)(?:the|this|that|its|any|such|no|explicit|harmful|video|audio|image|emotional|of|your|'s)\s$", ""),
        ("", r"\s(?:of|in|is|was|policy|warning|cannot|provided|itself|description)(?!\w)"),
    ),
    # A refusal, and no neutral one: "no emotion can be determined".
    "no emotion": (
        ("", r"\s(?:can|could)\s(?:be\s)?(?:reliably\s)?(?:determined|identified|inferred|recogni[sz]ed)(?!\w)"),
    ),
    "happy": (("", rf"\s(?:{_GREETINGS})(?!\w)"),),
    "sad": (("", r"\snews(?!\w)"),),
    "hope": (("", r"\s(?:this|that|it|you|i)(?!\w)"),),
    "love": (("", r"\sto(?!\w)"),),
    "trust": (("", r"\s(?:me|this)(?!\w)"),),
    "fear": (("", r"\snot(?!\w)"),),
    "shame": ((r"(?:^|\W)an?\s$", r"(?:\s(?:that|to|how)(?!\w)|\s?[,!])"),),
    "worry": ((r"(?:^|\W)(?:don't|not to|no need to)\s$", ""),),
}
"""Label word → (before, after), of single words that have another use as well."""
DENIED_BEFORE = (
    r"(?:(?<![\w.])0\s?(?:%|percent|per cent)|(?<!\w)(?:(?:less|fewer)(?: than)?|scarcely(?: any)?|"
    r"hardly any|no longer|minus|sans)"
    r"|(?<!\w)(?:opposite|contrary|reverse|inverse|antithesis|antonym)\s(?:of|to)"
    r"|(?<!\w)(?:nowhere near|nothing like|a far cry from|miles from|void of|bereft of|empty of|short of|other than|"
    r"apart from|aside from|in place of|excludes?|excluded|unlike|exclusive of))"
    r"(?:\s(?:any|being|feeling|real|true|actual|the)){0,2}\s$"
)
"""What stands right before a label that it denies."""
DENIED_AFTER = (
    r"[\s,]{1,3}(?:(?:which|that|this|but it|but that|it)\s)?"
    r"(?:is|was|are|were|seems?|appears?|can|could|may|would|must|should|has|have)\s+"
    r"(?:(?:been|to|be|also|very|highly|quite|rather|extremely|most|so|too|fairly|completely|totally|entirely|almost|"
    r"clearly|therefore|practically|simply|here|a|an|the)\s+){0,6}"
    r"(?:absent|unlikely|ruled out|excluded|missing|lacking|wrong|incorrect|false|improbable|implausible|doubtful|"
    r"dubious|questionable|impossible|inconceivable|non-?existent|negligible|out of the question|"
    r"not (?:the word|apt|accurate|suitable|appropriate|a (?:good )?(?:fit|match|choice|candidate)|"
    r"likely|present|probable|plausible|possible|supported|the case|what|how|in question|warranted|justified|"
    r"conveyed|expressed|indicated|suggested|observed|found|seen|heard|felt|displayed|exhibited)|"
    r"inaccurate|misleading|discarded|dismissed|eliminated|rejected|contradicted|opposite|reverse|a stretch|"
    r"out of place|wide of the mark|untrue|not true|lie|pretence|pretense|pretended|feigned|faked|gone|"
    r"wrong (?:label|word|answer|choice|option)|poor (?:fit|match)|not (?:it|that)(?=\s{0,2}(?:$|,))|"
    r"nil|zero|unsupported|misread(?:ing)?|mistaken?)(?![^\W\d_])"
    r"|\s{1,3}(?:(?:at|of)\s)?(?:nil|zero(?! doubt)|0\s?(?:percent|per cent)|0\s?%|0(?=\s{0,2}(?:$|[,)])))(?![^\W_])"
    r"|\s(?:cannot|can not|can't|could not|couldn't)\s(?:be\s)?(?:reliably\s)?"
    r"(?:determined|identified|inferred|recogni[sz]ed|discerned|judged|assessed)(?!\w)"
)
"""What follows a label and denies it, or says that nothing can be told."""
REFUSES = re.compile(
    rf"(?<!\w)to (?:{_HELP})(?!\w)|^(?:i|we|you)'?(?:m|d|ve|ll|re)(?!\w)|(?<!\w)(?:unfortunately|regrettably|apolog\w+|"
    r"audio|sound|soundless|video|clip|recording|file|inaudible|unavailable|inaccessible|unclear|undeterminable|"
    r"indeterminate|unidentifiable|as an ai|thank you|thanks|you're welcome|no worries)(?!\w)"
)
"""What an item of a plain list that refuses or thanks has, and a word for a feeling has not."""
