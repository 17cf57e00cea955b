# A box is switched off while its backup cannot take over in order: at least nobody waits for it.
pair witness
start
call 1000 1001
retire a
expect primary b within 100ms
expect a silent
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
    0.87  > retire a
    0.87  a: console: ok: this box has no voice any more
    0.87  a: starting
    0.87  b: promoting
    0.87  b: announces the VIP
    0.87  b: primary of epoch 2: switchover
    0.87  b: primary, epoch 2
    0.87  a: backup
    0.87  ok      primary b within 100ms
    0.87  ok      a has said no SIP
    0.87  b: speaks
    0.88  b: in step
    0.88  a: in step
    5.87  ok      calls kept
