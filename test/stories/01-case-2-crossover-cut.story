# 1, link case 2: the crossover is cut, the LAN shows both boxes to each other: roles stay, the primary
# goes on alone and says so; afterwards the pair is in step again. A backup that was left behind does
# not take over, even if the primary dies then.
pair witness
start
call 1000 1001
cut crossover
expect roles stay for 3s
expect alarm a not-protected
expect alarm a crossover-down
expect calls kept
kill a
expect b not primary for 3s
expect alarm b not-eligible
boot a
expect primary a within 5s
heal crossover
expect in step within 3s
expect calls kept
expect epoch 2
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
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
    3.87  ok      roles stay for 3s
    3.87  ok      alarm not-protected at a
    3.87  ok      alarm crossover-down at a
    8.87  ok      calls kept
    8.87  > kill a
    8.96  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: the peer went on without this box
   11.87  ok      b not primary for 3s
   11.87  ok      alarm not-eligible at b
   11.87  > boot a
   11.87  a: starting
   11.88  a: promoting
   11.92  a: primary of epoch 2: cold-start
   11.92  a: primary, epoch 2
   11.92  b: alarm over: not-eligible
   11.92  ok      primary a within 5s
   11.92  > heal crossover
   11.94  b: alarm over: crossover-down
   14.26  a: in step
   14.26  b: in step
   14.26  ok      in step within 3s
   19.26  ok      calls kept
   19.26  ok      epoch 2
