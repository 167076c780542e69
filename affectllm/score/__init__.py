"""Score tables of predictions from the command line."""

from affectllm.callable_package import make_callable

make_callable(__name__, "affectllm.api.score")
