# The gateway restarts, and just then the primary dies. The backup cannot tell yet that it is not cut off;
# the old primary, back with less on its disk than the backup holds, waits for it.
pair witness
start
call 1000 1001
gateway off
wait 600ms
call 1002 1003
kill a
wait 100ms
boot a
expect primary b within 6s
expect in step within 8s
gateway on
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
    0.87  > gateway off
    1.47  > call 1002 1003
    1.57  > kill a
    1.57  b: promoting
    1.59  b: ALARM witness-lost: no witness answers on the service LAN
    1.60  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: no witness answers on the service LAN
    1.60  b: backup
    1.67  > boot a
    1.67  a: starting
    2.70  b: alarm over: witness-lost
    2.72  b: promoting
    2.74  b: announces the VIP
    2.74  b: alarm over: not-eligible
    2.74  b: primary of epoch 2: peer-closed
    2.74  b: primary, epoch 2
    2.74  a: backup
    2.74  ok      primary b within 6s
    2.84  b: in step
    2.84  a: in step
    2.84  ok      in step within 8s
    2.84  > gateway on
    2.84  b: speaks
    7.84  ok      calls kept
