# 8: the same with nobody to take over: longer patience, then the box begins anew and leads again.
pair witness
start
call 1000 1001
power off b
wait 5s
engine of a sticks
expect primary a within 7s
expect epoch 2
boot b
expect in step within 5s
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
    0.87  > power off b
    1.24  a: ALARM acknowledgements are late: going on alone
    1.24  a: ALARM not protected: the peer is out of step
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    5.87  > engine of a sticks
    7.86  a: ALARM engine-stuck: the engine takes no turns: this box begins anew
    7.86  a: alarm over: not-protected
    7.86  a: starting
   11.37  a: ALARM crossover-down: the other box is not heard over the crossover
   11.37  a: promoting
   11.40  a: primary of epoch 2: cold-start
   11.40  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   11.40  a: primary, epoch 2
   11.41  ok      primary a within 7s
   11.41  ok      epoch 2
   11.41  > boot b
   11.41  b: starting
   11.42  b: backup
   11.42  a: alarm over: crossover-down
   11.44  a: in step
   11.44  b: in step
   11.45  ok      in step within 5s
   11.45  a: alarm over: not-protected
   16.45  ok      calls kept
