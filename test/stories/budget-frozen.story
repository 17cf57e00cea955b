# Detection table: process frozen (SIGSTOP, VM pause): its address lifetime of 2 s ends, and the kernel
# may be up to a second late with that.
pair witness
start
call 1000 1001
pause a 20s
expect primary b within 3500ms
expect outage at most 3500ms
expect registrations kept
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
    0.87  > pause a 20s
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
    3.32  ok      outage at most 3500ms
    3.32  ok      registrations kept
    3.32  b: speaks
    8.32  ok      calls kept
