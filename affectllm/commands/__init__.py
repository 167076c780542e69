"""What people type: one file a verb, found by its name.

Each holds ``add_options(parser)`` and ``call(arguments)``, which returns the exit status or None for 0; its docstring
begins with the line that ``affectllm --help`` shows. A verb that leaves its words to somebody else's parser holds
``pass_on(words)`` instead. Nothing heavy is imported with these modules. What several verbs share begins with ``_``.
"""
