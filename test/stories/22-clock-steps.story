# 22: the wall clock is stepped by hours and years either way, on both boxes, and one of them leads
# after the other: no registration and no call ends, no role changes by it.
pair witness
start
call 1000 1001
step clock of a +2h
wait 2s
step clock of b -2h
wait 2s
step clock of a +2y
wait 2s
step clock of b -2y
wait 2s
expect primary a
expect epoch 1
expect registrations kept
kill a
expect primary b within 50ms
expect registrations kept
boot a
expect in step within 5s
expect registrations kept
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
    0.87  > step clock of a +2h
    2.87  > step clock of b -2h
    4.87  > step clock of a +2y
    6.87  > step clock of b -2y
    8.87  ok      primary a
    8.87  ok      epoch 1
    8.87  ok      registrations kept
    8.87  > kill a
    8.87  b: promoting
    8.88  b: announces the VIP
    8.88  b: primary of epoch 2: peer-closed
    8.88  b: primary, epoch 2
    8.88  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    8.88  ok      primary b within 50ms
    8.88  ok      registrations kept
    8.88  > boot a
    8.88  a: starting
    8.88  b: ALARM crossover-down: the other box is not heard over the crossover
    8.88  b: alarm over: crossover-down
    8.91  a: backup
    9.04  b: in step
    9.04  a: in step
    9.04  ok      in step within 5s
    9.04  ok      registrations kept
    9.04  b: speaks
    9.04  b: alarm over: not-protected
   14.04  ok      calls kept
