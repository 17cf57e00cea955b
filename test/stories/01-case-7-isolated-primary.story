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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > cut crossover
    0.85  > dead port a
    0.92  a: ALARM witness-lost: no witness answers on the service LAN
    0.94  b: promoting
    0.94  a: ALARM fenced: no longer primary of epoch 1: no witness answers, and neither path shows the other box
    0.94  a: starting
    0.98  b: announces the VIP
    0.98  b: primary of epoch 2: peer-silent
    0.98  b: primary, epoch 2
    0.98  ok      primary b within 300ms
    0.98  ok      alarm fenced at a
    0.98  ok      no VIP at a within 300ms
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.03  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
   10.98  ok      a not primary for 10s
   10.98  > heal crossover
   10.98  > live port a
   10.98  a: alarm over: fenced
   10.98  a: alarm over: crossover-down
   10.98  a: backup
   10.98  b: alarm over: crossover-down
   10.98  a: alarm over: witness-lost
   11.04  b: in step
   11.04  a: in step
   11.04  ok      in step within 5s
   11.04  ok      a is backup
   11.04  ok      primary b
   11.04  ok      epoch 2
   11.04  b: speaks
   11.04  b: alarm over: not-protected
   16.04  ok      calls kept
