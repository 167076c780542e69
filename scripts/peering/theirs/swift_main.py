import cpu_wheels  # noqa: F401, I001
import sys

if sys.argv[1] == "sft":
    from swift.pipelines import sft_main as main
else:
    from swift.pipelines import rlhf_main as main

main(sys.argv[2:])
