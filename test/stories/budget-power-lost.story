# Detection table: power loss, kernel panic: 250 ms.
pair witness
start
call 1000 1001
power off a
expect primary b within 250ms
expect outage at most 250ms
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
    0.87  > power off a
    0.96  b: promoting
    1.00  b: announces the VIP
    1.00  b: primary of epoch 2: peer-silent
    1.00  b: primary, epoch 2
    1.00  ok      primary b within 250ms
    1.00  ok      outage at most 250ms
    1.00  ok      registrations kept
    1.00  b: speaks
    3.03  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
    6.00  ok      calls kept
