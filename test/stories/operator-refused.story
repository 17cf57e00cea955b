# What the operator may not do is refused with the reason.
pair witness
start
switchover b
wait 100ms
promote a
wait 100ms
promote b
wait 100ms
power off b
wait 1s
switchover a
wait 100ms
switchover force a
wait 100ms
expect primary a
expect epoch 1
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
    0.76  > switchover b
    0.76  b: console: no: refused: this box is backup; box a is the primary: ask it
    0.86  > promote a
    0.86  a: console: no: refused: this box is primary already
    0.96  > promote b
    0.96  b: console: no: refused: this box is backup; box a is the primary: ask it
    1.06  > power off b
    1.44  a: ALARM acknowledgements are late: going on alone
    1.44  a: ALARM not protected: the peer is out of step
    2.06  > switchover a
    2.06  a: console: no: refused: the backup is not heard
    2.16  > switchover force a
    2.16  a: console: no: refused: the backup is not heard
    2.26  ok      primary a
    2.26  ok      epoch 1
