# 1, link case 7: crossover cut, and the primary sees no witness: it fences itself, the backup probes
# and leads. Nobody has heard two voices.
pair witness
start
call 1000 1001
cut crossover
dead port a
expect primary b within 300ms
expect alarm a fenced
expect no vip at a within 300ms
expect a not primary for 10s
heal crossover
live port a
expect in step within 5s
expect role a backup
expect primary b
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
    0.87  > cut crossover
    0.87  > dead port a
    0.94  a: ALARM witness-lost: no witness answers on the service LAN
    0.96  b: promoting
    0.97  a: ALARM fenced: no longer primary of epoch 1: no witness answers, and neither path shows the other box
    0.97  a: starting
    1.00  b: announces the VIP
    1.00  b: primary of epoch 2: peer-silent
    1.00  b: primary, epoch 2
    1.00  ok      primary b within 300ms
    1.00  ok      alarm fenced at a
    1.00  ok      no VIP at a within 300ms
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.03  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
   11.00  ok      a not primary for 10s
   11.00  > heal crossover
   11.00  > live port a
   11.00  b: alarm over: crossover-down
   11.00  a: alarm over: witness-lost
   11.00  a: promoting
   11.00  a: backup
   11.00  a: alarm over: fenced
   11.00  a: alarm over: crossover-down
   11.04  b: in step
   11.04  a: in step
   11.04  ok      in step within 5s
   11.04  ok      a is backup
   11.04  ok      primary b
   11.04  ok      epoch 2
   11.04  b: speaks
   11.04  b: alarm over: not-protected
   16.04  ok      calls kept
