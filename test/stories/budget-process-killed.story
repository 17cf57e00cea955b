# Detection table: process crash, kill -9: 50 ms.
pair witness
start
call 1000 1001
kill a
expect primary b within 50ms
expect outage at most 50ms
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
    0.87  > kill a
    0.87  b: promoting
    0.88  b: announces the VIP
    0.88  b: primary of epoch 2: peer-closed
    0.88  b: primary, epoch 2
    0.88  ok      primary b within 50ms
    0.88  ok      outage at most 50ms
    0.88  ok      registrations kept
    0.88  b: speaks
    3.03  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
    5.88  ok      calls kept
