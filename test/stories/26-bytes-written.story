# 26: what goes to the disk is bounded by the calls, on the primary and on its backup, in step and alone.
pair witness 12
start
calls all the time
wait 30s
expect written by a at most 3500 bytes a call
expect written by b at most 3500 bytes a call
power off b
wait 30s
expect written by a at most 4500 bytes a call
no new calls
wait 12s
---
    0.00  > start
    0.00  a: starting
    0.03  b: starting
    0.03  a: promoting
    0.15  a: announces the VIP
    0.15  a: primary of epoch 1: cold-start
    0.15  a: primary, epoch 1
    0.15  b: backup
    0.26  a: in step
    0.26  b: in step
    0.26  a: speaks
    0.76  > calls all the time
   30.76  ok      written by a at most 3500 bytes a call
   30.76  ok      written by b at most 3500 bytes a call
   30.76  > power off b
   30.87  a: ALARM crossover-down: the other box is not heard over the crossover
   30.94  a: ALARM acknowledgements are late: going on alone
   30.94  a: ALARM not protected: the peer is out of step
   30.95  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   60.76  ok      written by a at most 4500 bytes a call
   60.76  > no new calls
   65.15  a: announces the VIP
