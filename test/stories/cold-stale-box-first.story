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
    0.26  a: in step
    0.26  b: in step
    0.26  a: speaks
    0.76  > call 1000 1001
    0.87  > cut crossover
    1.23  a: ALARM acknowledgements are late: going on alone
    1.23  a: ALARM not protected: the peer is out of step
    2.87  > call 1002 1003
    2.97  > power off a
    2.97  > power off b
    2.97  > heal crossover
    2.97  > boot b
    2.97  b: starting
    5.97  b: ALARM crossover-down: the other box is not heard over the crossover
    8.97  ok      nobody primary for 6s
    8.97  > boot a
    8.97  a: starting
    8.97  a: promoting
    8.97  b: alarm over: crossover-down
    9.01  a: primary of epoch 2: cold-start
    9.01  a: primary, epoch 2
    9.01  b: backup
    9.01  ok      primary a within 5s
    9.20  a: in step
    9.20  b: in step
    9.20  ok      in step within 8s
   14.20  ok      calls kept
