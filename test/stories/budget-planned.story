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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > switchover a
    0.85  a: resigning
    0.85  a: backup
    0.85  b: promoting
    0.85  b: announces the VIP
    0.85  b: primary of epoch 2: switchover
    0.85  b: primary, epoch 2
    0.85  a: console: ok: box b is primary, epoch 2
    0.86  ok      primary b within 20ms
    0.86  ok      outage at most 20ms
    0.86  b: in step
    0.86  a: in step
    0.86  ok      in step within 1s
    0.86  b: speaks
    5.86  ok      calls kept
