# 3: a paused primary wakes up: its lease is over, it says no SIP packet and rejoins as backup.
pair witness
start
call 1000 1001
pause a 6s
expect primary b within 3500ms
wait 2700ms
expect role a backup within 7s
expect a silent
expect in step within 9s
expect epoch 2
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
    0.87  > pause a 6s
    0.96  b: promoting
    0.96  b: backup
    1.25  b: ALARM vip-answered: the VIP is still answered by 02:53:50:00:00:0a: not claimed
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
    3.31  b: promoting
    3.31  b: announces the VIP
    3.31  b: alarm over: vip-answered
    3.31  b: primary of epoch 2: peer-silent
    3.31  b: primary, epoch 2
    3.31  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.32  ok      primary b within 3500ms
    6.87  a: thaws
    6.87  a: ALARM fenced: no longer primary of epoch 1: the lease ended 4694 ms ago
    6.87  a: alarm over: fenced
    6.87  a: backup
    6.87  b: alarm over: crossover-down
    6.87  ok      a is backup
    6.87  ok      a has said no SIP
    6.87  b: in step
    6.87  a: in step
    6.88  ok      in step within 9s
    6.88  ok      epoch 2
    6.88  b: speaks
    6.88  b: alarm over: not-protected
   11.88  ok      calls kept
