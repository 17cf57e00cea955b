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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > switchover b
    0.75  b: console: no: refused: this box is backup; box a is the primary: ask it
    0.85  > promote a
    0.85  a: console: no: refused: this box is primary already
    0.95  > promote b
    0.95  b: console: no: refused: this box is backup; box a is the primary: ask it
    1.05  > power off b
    1.44  a: ALARM acknowledgements are late: going on alone
    1.44  a: ALARM not protected: the peer is out of step
    2.05  > switchover a
    2.05  a: console: no: refused: the backup is not heard
    2.15  > switchover force a
    2.15  a: console: no: refused: the backup is not heard
    2.25  ok      primary a
    2.25  ok      epoch 1
