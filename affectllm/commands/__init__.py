"""The subcommands: one file each, found by its name.

Each holds ``add_options(parser)`` and ``call(arguments)``, which returns the exit status or None for 0; its docstring
begins with the line that ``affectllm --help`` shows. A command that passes its arguments to another parser holds
``pass_on(words)`` instead. Nothing heavy is imported with these modules. Names of shared modules begin with ``_``.
"""
