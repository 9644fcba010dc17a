"""The only place that reads settings and the environment, and builds adapters from them.

One module per need, so that a command loads no adapter that it does not use: ``offline`` (fleet.yaml and its
sources), ``walk`` (clusters as well), ``sandbox``; ``machine`` is what they share.
"""
