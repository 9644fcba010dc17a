"""fleetmgr: one fleet.yaml, planned and applied to every cluster.

The rooms, top importing down, never up: ``cli`` > ``wiring`` > ``operations | adapters`` >
``expansion | rendering | engine | planner | health | reporting`` > ``ports`` > ``model`` > ``spec`` >
``errors``. Each room's docstring says what belongs there and what never does.
"""

__version__ = "0.1.0"
