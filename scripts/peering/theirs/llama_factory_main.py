import cpu_wheels  # noqa: F401, I001
import json
import sys

from llamafactory.train.tuner import run_exp

run_exp(json.loads(sys.argv[1]))
