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
    0.24  a: speaks
    0.74  > call 1000 1001
    0.85  > cut crossover
    1.24  a: ALARM acknowledgements are late: going on alone
    1.24  a: ALARM not protected: the peer is out of step
    2.85  > call 1002 1003
    2.95  > power off a
    2.95  > power off b
    2.95  > heal crossover
    2.95  > boot b
    2.95  b: starting
    5.95  b: ALARM crossover-down: the other box is not heard over the crossover
    8.95  ok      nobody primary for 6s
    8.95  > boot a
    8.95  a: starting
    8.95  a: ALARM witness-lost: no witness answers on the service LAN
    8.95  a: alarm over: witness-lost
    8.95  a: promoting
    8.95  b: alarm over: crossover-down
    8.99  a: primary of epoch 2: cold-start
    8.99  a: primary, epoch 2
    8.99  b: backup
    8.99  ok      primary a within 5s
    9.16  a: in step
    9.16  b: in step
    9.16  ok      in step within 8s
   14.16  ok      calls kept
