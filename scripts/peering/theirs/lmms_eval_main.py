import cpu_wheels  # noqa: F401, I001
import runpy
import sys

sys.argv[0] = "lmms_eval"
runpy.run_module("lmms_eval", run_name="__main__")
