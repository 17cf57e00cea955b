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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > cut crossover
    1.24  a: ALARM acknowledgements are late: going on alone
    1.24  a: ALARM not protected: the peer is out of step
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
    3.85  ok      roles stay for 3s
    3.85  ok      alarm not-protected at a
    3.85  ok      alarm crossover-down at a
    8.85  ok      calls kept
    8.85  > kill a
    8.94  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: the peer went on without this box
   11.85  ok      b not primary for 3s
   11.85  ok      alarm not-eligible at b
   11.85  > boot a
   11.85  a: starting
   11.86  a: promoting
   11.89  a: primary of epoch 2: cold-start
   11.89  a: primary, epoch 2
   11.89  b: alarm over: not-eligible
   11.90  ok      primary a within 5s
   11.90  > heal crossover
   11.90  b: alarm over: crossover-down
   12.84  a: in step
   12.84  b: in step
   12.84  ok      in step within 3s
   17.84  ok      calls kept
   17.84  ok      epoch 2
