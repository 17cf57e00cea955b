# 1, link case 6: crossover cut, and the backup sees no witness: it is the isolated one, never promoted.
pair witness
start
call 1000 1001
cut crossover
dead port b
expect roles stay for 20s
expect alarm b not-eligible
expect calls kept
heal crossover
live port b
expect in step within 5s
expect epoch 1
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
    0.87  > dead port b
    0.95  b: ALARM witness-lost: no witness answers on the service LAN
    0.96  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: no witness answers on the service LAN
    1.24  a: ALARM acknowledgements are late: going on alone
    1.24  a: ALARM not protected: the peer is out of step
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
   20.87  ok      roles stay for 20s
   20.87  ok      alarm not-eligible at b
   25.87  ok      calls kept
   25.87  > heal crossover
   25.87  > live port b
   25.87  b: alarm over: witness-lost
   25.87  a: announces the VIP
   25.87  a: alarm over: crossover-down
   25.88  b: alarm over: not-eligible
   25.88  b: alarm over: crossover-down
   28.28  a: in step
   28.28  b: in step
   28.29  ok      in step within 5s
   28.29  ok      epoch 1
   28.30  a: alarm over: not-protected
   33.29  ok      calls kept
