# Cold start: both boxes lose power, the one that was left behind is back first. It was told that it is
# stale: it waits for the other.
pair witness
start
call 1000 1001
cut crossover
wait 2s
call 1002 1003
power off a
power off b
heal crossover
boot b
expect nobody primary for 6s
boot a
expect primary a within 5s
expect in step within 8s
expect calls kept
---
    0.00  > start
    0.00  a: starting
    0.03  b: starting
    0.06  a: promoting
    0.17  a: announces the VIP
    0.17  a: primary of epoch 1: cold-start
    0.17  a: primary, epoch 1
    0.17  b: backup
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > cut crossover
    1.24  a: ALARM acknowledgements are late: going on alone
    1.24  a: ALARM not protected: the peer is out of step
    2.85  > call 1002 1003
    2.96  > power off a
    2.96  > power off b
    2.96  > heal crossover
    2.96  > boot b
    2.96  b: starting
    5.96  b: ALARM crossover-down: the other box is not heard over the crossover
    8.96  ok      nobody primary for 6s
    8.96  > boot a
    8.96  a: starting
    8.96  b: alarm over: crossover-down
    8.98  a: promoting
    9.10  a: primary of epoch 2: cold-start
    9.10  a: primary, epoch 2
    9.10  b: backup
    9.10  ok      primary a within 5s
    9.16  a: in step
    9.16  b: in step
    9.17  ok      in step within 8s
   11.70  BROKEN  calls-survive: c2 1002>1003 at callee 1003: re-INVITE answered 422
   14.17  FAILED  calls kept: c2 1002>1003 at callee 1003: re-INVITE answered 422
