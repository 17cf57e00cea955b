# 3: a pause shorter than the lease: the VIP still answers, so nobody takes it; roles stay.
pair witness
start
call 1000 1001
pause a 900ms
expect b not primary for 3s
expect primary a
expect epoch 1
expect in step within 5s
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
    0.87  > pause a 900ms
    0.96  b: promoting
    0.96  b: backup
    1.25  b: ALARM vip-answered: the VIP is still answered by 02:53:50:00:00:0a: not claimed
    1.77  a: thaws
    1.77  b: suspicion (peer-silent) was wrong: box a lives, roles stay
    1.77  b: alarm over: vip-answered
    3.87  ok      b not primary for 3s
    3.87  ok      primary a
    3.87  ok      epoch 1
    3.87  ok      in step within 5s
    8.87  ok      calls kept
