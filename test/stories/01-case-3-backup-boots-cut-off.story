# 1, link case 3: the port of the backup is dead when it starts. No witness has ever answered it, so
# none is lost; but the primary sees one, and the LAN does not show the primary.
pair witness
start
call 1000 1001
kill b
dead port b
boot b
expect in step within 3s
wait 2s
expect alarm b witness-lost
switchover a
wait 1s
expect primary a
cut crossover
expect b not primary for 5s
heal crossover
live port b
expect in step within 5s
wait 2s
expect no alarms
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
    0.85  > kill b
    0.85  > dead port b
    0.85  > boot b
    0.85  b: starting
    0.85  a: ALARM not protected: the peer is out of step
    0.88  b: ALARM witness-lost: no witness answers on the service LAN
    0.88  b: backup
    0.88  a: in step
    0.88  b: in step
    0.88  ok      in step within 3s
    2.88  ok      alarm witness-lost at b
    2.88  > switchover a
    2.88  a: console: no: refused: the backup says that it is not fit
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.85  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.88  ok      primary a
    3.88  > cut crossover
    3.99  a: ALARM crossover-down: the other box is not heard over the crossover
    3.99  a: alarm over: lan-path-down
    3.99  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: no witness answers on the service LAN
    3.99  b: ALARM crossover-down: the other box is not heard over the crossover
    3.99  b: alarm over: lan-path-down
    4.19  a: ALARM acknowledgements are late: going on alone
    4.19  a: ALARM not protected: the peer is out of step
    4.20  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    8.88  ok      b not primary for 5s
    8.88  > heal crossover
    8.88  > live port b
    8.88  b: alarm over: witness-lost
    8.88  a: alarm over: crossover-down
    8.90  b: alarm over: not-eligible
    8.90  b: alarm over: crossover-down
   11.72  a: in step
   11.72  b: in step
   11.72  ok      in step within 5s
   11.73  a: alarm over: not-protected
   13.72  ok      no alarms
   18.72  ok      calls kept
