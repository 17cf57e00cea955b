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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > resync a
    0.85  a: console: ok: the mirror begins anew
    0.85  a: ALARM not protected: the peer is out of step
    0.85  b: promoting
    0.85  b: suspicion (peer-closed) was wrong: box a lives, roles stay
    0.85  b: backup
    1.04  a: in step
    1.04  b: in step
    1.04  ok      in step within 3s
    1.04  ok      equal tables within 3s
    6.04  ok      calls kept
    6.04  > switchover a
    6.04  a: resigning
    6.04  a: backup
    6.04  b: promoting
    6.04  b: announces the VIP
    6.04  b: primary of epoch 2: switchover
    6.04  b: primary, epoch 2
    6.04  a: console: ok: box b is primary, epoch 2
    6.04  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    6.05  ok      primary b within 20ms
    6.05  b: in step
    6.05  a: in step
    6.05  b: speaks
    6.05  b: alarm over: not-protected
   11.05  ok      calls kept
