"""Scoring with lm-eval: our task class, our model class, the reference models, and the wrapper that starts lm-eval.

Nothing is imported here: ``affectllm.evaluate.task`` and its neighbours import lm-eval, which takes a second.
"""

from affectllm.callable_package import make_callable

make_callable(__name__, "affectllm.api.evaluate")
