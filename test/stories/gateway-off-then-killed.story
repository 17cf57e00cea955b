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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > gateway off
    1.45  > call 1002 1003
    1.56  > kill a
    1.56  b: promoting
    1.58  b: ALARM witness-lost: no witness answers on the service LAN
    1.58  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: no witness answers on the service LAN
    1.58  b: backup
    1.66  > boot a
    1.66  a: starting
    2.69  b: alarm over: witness-lost
    2.71  b: promoting
    2.72  b: announces the VIP
    2.72  b: alarm over: not-eligible
    2.72  b: primary of epoch 2: peer-closed
    2.72  b: primary, epoch 2
    2.72  a: backup
    2.73  ok      primary b within 6s
    2.83  b: in step
    2.83  a: in step
    2.84  ok      in step within 8s
    2.84  > gateway on
    2.84  b: speaks
    5.40  BROKEN  calls-survive: c2 1002>1003 at callee 1003: re-INVITE answered 422
    7.84  FAILED  calls kept: c2 1002>1003 at callee 1003: re-INVITE answered 422
