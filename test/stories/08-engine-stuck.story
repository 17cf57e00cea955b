# 8: the engine takes no turns, its sentry lives: it drops the VIP, says so, ends the process.
pair witness
start
call 1000 1001
engine of a sticks
expect primary b within 400ms
expect outage at most 400ms
expect in step within 3s
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
    0.87  > engine of a sticks
    1.13  a: ALARM engine-stuck: the engine takes no turns: this box begins anew
    1.13  a: starting
    1.13  b: promoting
    1.13  b: announces the VIP
    1.13  b: primary of epoch 2: engine-stuck
    1.13  b: primary, epoch 2
    1.14  ok      primary b within 400ms
    1.14  ok      outage at most 400ms
    1.63  a: ALARM witness-lost: no witness answers on the service LAN
    1.63  a: backup
    1.63  a: alarm over: witness-lost
    1.84  b: in step
    1.84  a: in step
    1.84  ok      in step within 3s
    1.84  b: speaks
    6.84  ok      calls kept
