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
    0.26  a: in step
    0.26  b: in step
    0.26  a: speaks
    0.76  > call 1000 1001
    0.87  > kill b
    0.87  > dead port b
    0.87  > boot b
    0.87  b: starting
    0.87  a: ALARM not protected: the peer is out of step
    0.90  b: ALARM witness-lost: no witness answers on the service LAN
    0.90  b: backup
    0.91  a: in step
    0.91  b: in step
    0.91  ok      in step within 3s
    2.91  ok      alarm witness-lost at b
    2.91  > switchover a
    2.91  a: console: no: refused: the backup says that it is not fit
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.87  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.91  ok      primary a
    3.91  > cut crossover
    4.00  a: ALARM crossover-down: the other box is not heard over the crossover
    4.00  a: alarm over: lan-path-down
    4.01  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: no witness answers on the service LAN
    4.01  b: ALARM crossover-down: the other box is not heard over the crossover
    4.01  b: alarm over: lan-path-down
    4.22  a: ALARM acknowledgements are late: going on alone
    4.22  a: ALARM not protected: the peer is out of step
    4.22  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    8.91  ok      b not primary for 5s
    8.91  > heal crossover
    8.91  > live port b
    8.91  b: alarm over: witness-lost
    8.91  a: alarm over: crossover-down
    8.93  b: alarm over: not-eligible
    8.93  b: alarm over: crossover-down
   10.17  a: in step
   10.17  b: in step
   10.18  ok      in step within 5s
   10.18  a: alarm over: not-protected
   12.18  ok      no alarms
   17.18  ok      calls kept
