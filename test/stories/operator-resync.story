# The operator does not trust what the backup has: the mirror begins anew, calls go on.
pair witness
start
call 1000 1001
resync a
wait 100ms
expect in step within 3s
expect equal tables within 3s
expect calls kept
switchover a
expect primary b within 20ms
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
    0.87  > resync a
    0.87  a: console: ok: the mirror begins anew
    0.87  a: ALARM not protected: the peer is out of step
    0.87  b: promoting
    0.87  b: suspicion (peer-closed) was wrong: box a lives, roles stay
    0.87  b: backup
    1.06  a: in step
    1.06  b: in step
    1.06  ok      in step within 3s
    1.06  ok      equal tables within 3s
    6.06  ok      calls kept
    6.06  > switchover a
    6.06  a: resigning
    6.06  a: backup
    6.06  b: promoting
    6.06  b: announces the VIP
    6.06  b: primary of epoch 2: switchover
    6.06  b: primary, epoch 2
    6.06  a: console: ok: box b is primary, epoch 2
    6.06  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    6.07  ok      primary b within 20ms
    6.07  b: speaks
    6.07  b: in step
    6.07  a: in step
    6.08  b: alarm over: not-protected
   11.07  ok      calls kept
