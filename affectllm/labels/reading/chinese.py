"""Chinese names of emotions and the small words that deny, weaken or stress them.

Chinese is written without blanks, so words are found by the longest match; a single character is too often a part of
another word and counts only where it is the whole answer. Names of another strength (狂怒, 惊恐) are not listed under
the plain emotion, as in ``labels.taxonomies``.
"""

from __future__ import annotations

NAMES: dict[str, tuple[str, ...]] = {
    "anger": ("愤怒", "生气", "气愤", "恼怒", "愤慨", "发怒", "发火", "恼火", "怒"),
    "fear": ("恐惧", "害怕", "惧怕", "畏惧", "惧"),
    "happiness": ("高兴", "快乐", "开心", "喜悦", "愉快", "欢喜", "欣喜", "幸福", "喜"),
    "sadness": ("悲伤", "伤心", "难过", "悲哀", "忧伤", "哀伤", "悲", "哀"),
    "disgust": ("厌恶", "恶心", "反感"),
    "surprise": ("惊讶", "吃惊", "惊奇", "诧异", "惊"),
    "neutral": ("中性", "中立", "无情绪", "没有情绪", "没有情感"),
    "calm": ("平静", "冷静", "镇定", "平和"),
    "boredom": ("无聊", "厌倦"),
    "contempt": ("轻蔑", "蔑视", "鄙视", "轻视", "不屑"),
    "anticipation": ("期待", "期盼"),
    "trust": ("信任",),
    "admiration": ("钦佩", "敬佩"),
    "annoyance": ("烦躁", "烦恼", "不耐烦"),
    "confusion": ("困惑", "疑惑", "迷茫"),
    "curiosity": ("好奇",),
    "desire": ("渴望",),
    "disappointment": ("失望",),
    "disapproval": ("不赞成", "不赞同"),
    "embarrassment": ("尴尬", "难堪"),
    "excitement": ("兴奋", "激动"),
    "gratitude": ("感激",),
    "grief": ("悲痛",),
    "love": ("喜爱", "热爱", "爱"),
    "nervousness": ("紧张",),
    "optimism": ("乐观",),
    "pessimism": ("悲观",),
    "pride": ("自豪", "骄傲"),
    "relief": ("宽慰", "如释重负"),
    "remorse": ("懊悔", "悔恨"),
    "anxiety": ("焦虑", "不安"),
    "worry": ("担心", "担忧", "忧虑"),
    "shame": ("羞愧", "羞耻"),
    "confidence": ("自信",),
    "contentment": ("满足",),
    "fury": ("狂怒", "暴怒"),
    "guilt": ("内疚", "愧疚"),
    "hope": ("希望",),
    "jealousy": ("嫉妒", "妒忌"),
    "loneliness": ("孤独", "寂寞"),
    "nostalgia": ("怀旧",),
    "frustration": ("挫败",),
    "helplessness": ("无助", "无奈"),
    "terror": ("惊骇",),
    "positive": ("积极", "正面", "正向"),
    "negative": ("消极", "负面", "负向"),
}
"""English head of a family → its Chinese names."""
# The emotion and function words of the lists here in traditional characters; "发" is 發 in all of them, never 髮.
_SCRIPTS = str.maketrans(
    "愤气恼惧乐开悦欢伤难过忧厌恶惊讶诧异绪静镇无轻视钦烦耐惑赞兴奋动爱热紧张观骄释负虑担满内独旧败积极"
    "没并绝对还与为虽尽却说认总综终实际体导显应断确错误准标签类别评级数预测个们这样较几丝许点带发听见话视频诉帮"
    "当该现违准属价关于从业东车务产亲仅单双变号问间"
    "后谈谁请调论证词语试记让议识访设译读课谢宽尴骇怀唤",
    "憤氣惱懼樂開悅歡傷難過憂厭惡驚訝詫異緒靜鎮無輕視欽煩耐惑贊興奮動愛熱緊張觀驕釋負慮擔滿內獨舊敗積極"
    "沒並絕對還與為雖盡卻說認總綜終實際體導顯應斷確錯誤準標籤類別評級數預測個們這樣較幾絲許點帶發聽見話視頻訴幫"
    "當該現違準屬價關於從業東車務產親僅單雙變號問間"
    "後談誰請調論證詞語試記讓議識訪設譯讀課謝寬尷駭懷喚",
)
_SIMPLER = {traditional: simplified for simplified, traditional in _SCRIPTS.items() if simplified != traditional}


def traditional(text: str) -> str:
    """``text`` in traditional characters, as far as the words here need it."""
    return text.translate(_SCRIPTS)


def simplified(text: str) -> str:
    """``text`` in simplified characters, character by character."""
    return text.translate(_SIMPLER)


# Words that begin like a denial or a label and are none (courtesies too); found first, because the longest match wins.
NO_DENIAL: tuple[str, ...] = (
    *("不仅", "不但", "不只", "不光", "不单", "不止", "不禁", "不由得", "不由自主", "不断", "不停", "不时", "不少"),
    *("不同", "不错", "不知道", "不知", "不管", "不论", "不如", "不妨", "不得不", "不可否认", "不言而喻", "不久"),
    *("不满", "不安", "不屑", "不悦", "不耐烦", "不解", "不适", "毫无疑问", "无疑", "无比", "无论", "非常", "没想到"),
    *(
        "忍不住",
        "控制不住",
        "难以掩饰",
        "难以掩盖",
        "难以抑制",
        "难掩",
        "掩饰不住",
        "掩盖不住",
        "抑制不住",
        "按捺不住",
        "藏不住",
        "压不住",
        "无法掩饰",
        "无法抑制",
    ),
    *("很高兴为", "很高兴能", "很高兴帮", "高兴为您", "高兴为你"),
)
DENIES: tuple[str, ...] = (
    *("不", "没", "未", "无", "非", "缺少", "与其"),
    *(
        "是否",
        "如果",
        "假如",
        "要是",
        "倘若",
        "若是",
        "若",
        "哪里",
        "哪有",
        "不再",
        "曾经",
        "假装",
        "难以",
        "希望",
    ),  # only supposed
)
DENIES_LISTS: tuple[str, ...] = ("没有任何", "毫无", "既不", "缺乏", "排除")
WEAKENS: tuple[str, ...] = (
    *("可能", "有可能", "也许", "或许", "大概", "似乎", "好像", "有点", "有点儿", "有些", "略带", "略微", "稍微"),
    *("一丝", "些许", "一点", "一些"),
)
STRESSES: tuple[str, ...] = (
    *("最可能", "最有可能", "更可能", "更像是", "更多的是", "主要", "总体", "总的来说", "综上", "最终", "因此", "所以"),
    *("答案是", "答案", "其实", "实际上", "事实上", "整体", "主导"),
)
TURNS: tuple[str, ...] = (
    "不如说",
    "倒不如说",
    "但是",
    "但",
    "而是",
    "却",
    "然而",
    "不过",
    "可是",
    "因为",
    "虽然",
    "尽管",
)
JOINS: tuple[str, ...] = ("以及", "还是", "或者", "或", "和", "与", "及", "并且", "且", "又")
NOTHING: tuple[str, ...] = (
    *(
        "无",
        "没有",
        "都没有",
        "都不是",
        "以上都不是",
        "以上皆非",
        "皆无",
        "无情绪",
        "没有情绪",
        "无情感",
        "没有情感",
        "没有任何情绪",
    ),
    *("无明显情绪", "没有明显情绪", "中性或无情绪", "中性或没有情绪", "中性/无情绪"),
)
"""Whole answers that say that no label applies."""
ASIDES: tuple[tuple[str, str], ...] = (
    (r"我们?(?:对此|也|真的|实在|确实|感到|很|非常|十分|有点|有些|深感|倍感|表示|为此)+$", ""),
    (
        r"(?:^|[\s,，!！])(?:很|非常|十分|万分)?$",
        r"(?:地)?(?:为[您你]|能够?[为帮]|帮[助您你]|回答|告诉|协助|[与和]您|收到|听到您)",
    ),
    (r"(?:令人|让[我人]们?)(?:很|非常|感到)?$", ""),
    (r"我们?(?:将|会)?(?:保持|持)$", ""),
)
"""(Before, after) of a label that is a feeling of the one who answers, or a courtesy; as ``english.ASIDES``."""
