# 1, link case 8 with a fence: the peer's power is cut before its VIP is taken. Never two primaries.
pair witness fence
start
hide the boxes from each other
cut crossover
expect fenced 0
expect primary b within 1s
expect fenced 1
wait 5s
show the boxes to each other
heal crossover
expect in step within 5s
expect primary b
expect epoch 2
expect new calls
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
    0.76  > hide the boxes from each other
    0.76  > cut crossover
    0.76  ok      fenced 0
    0.86  b: promoting
    1.13  a: ALARM acknowledgements are late: going on alone
    1.13  a: ALARM not protected: the peer is out of step
    1.16      fence of box b: power of box a is off
    1.16  b: announces the VIP
    1.16  b: primary of epoch 2: peer-silent
    1.16  b: primary, epoch 2
    1.17  ok      primary b within 1s
    1.17  ok      fenced 1
    3.03  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
    4.04      fence: power of box a is back
    4.04  a: starting
    6.17  > show the boxes to each other
    6.17  > heal crossover
    6.18  a: backup
    6.18  b: alarm over: crossover-down
    6.24  b: in step
    6.24  a: in step
    6.24  b: alarm over: not-protected
    6.24  ok      in step within 5s
    6.24  ok      primary b
    6.24  ok      epoch 2
    6.24  b: speaks
    6.45  ok      new calls
    6.45  ok      they end
