"""Scoring tables of predictions from the command line: files in, a result out."""

from affectllm.callable_package import make_callable

make_callable(__name__, "affectllm.api.score")
