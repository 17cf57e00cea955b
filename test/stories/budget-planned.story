# Detection table: planned switchover, 20 ms.
pair witness
start
call 1000 1001
switchover a
expect primary b within 20ms
expect outage at most 20ms
expect in step within 1s
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
    0.87  > switchover a
    0.87  a: resigning
    0.87  a: backup
    0.87  b: promoting
    0.87  b: announces the VIP
    0.87  b: primary of epoch 2: switchover
    0.87  b: primary, epoch 2
    0.87  a: console: ok: box b is primary, epoch 2
    0.87  ok      primary b within 20ms
    0.87  ok      outage at most 20ms
    0.87  b: in step
    0.87  a: in step
    0.88  ok      in step within 1s
    0.88  b: speaks
    5.88  ok      calls kept
