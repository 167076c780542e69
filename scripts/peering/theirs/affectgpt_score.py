"""Wheel F of two tables by AffectGPT's own evaluator, from a clone of its challenge's baseline."""

import sys
import types

clone, tables, gold, predicted = sys.argv[1:]


class Unused(types.ModuleType):
    """What the evaluator's modules import beside it: keys of paid services, pictures, sounds."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


for name in ("config", "cv2", "torchaudio", "toolkit.globals", "toolkit.utils.chatgpt"):
    sys.modules[name] = Unused(name)
sys.modules["config"].EMOTION_WHEEL_ROOT = tables
sys.path.insert(0, clone)

from my_affectgpt.evaluation.wheel import func_read_key_from_csv, wheel_metric_calculation  # noqa: E402

sides = [
    dict(zip(func_read_key_from_csv(file, "name"), func_read_key_from_csv(file, "openset"), strict=True))
    for file in (gold, predicted)
]
for level, name in (("level1", "wheel_f1"), ("level2", "wheel_f1_level2")):
    score = wheel_metric_calculation(name2gt=sides[0], name2pred=sides[1], inter_print=False, level=level)
    print(name, repr(score[0]))
