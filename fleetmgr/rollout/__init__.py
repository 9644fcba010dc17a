"""Order in time: a Plan becomes steps, and a clocked machine says what may be done next. Pure: no clock, no I/O.

steps = rollout_plan(plan, fleet_rollout)        rollout/steps.py
state = begin(steps, now)                        rollout/machine.py
while True:
    match decide(state, now):
        case Start(clusters): observe Started for each, then run it and observe how it ended
        case Rollback(clusters): observe RollbackStarted for each, then run it and observe RollbackFinished
        case Wait(until, watch): sleep until something happens or ``until``; observe Health of ``watch``
        case Stop(verdict, why): end; where ``verdict.resumable``, a Resume may be observed later
        case Done(): end
"""
