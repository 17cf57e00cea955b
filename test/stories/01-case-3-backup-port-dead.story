# 1, link case 3, behind a carrier that stays: the witness tells the backup that it is cut off.
pair witness
start
call 1000 1001
dead port b
expect alarm b witness-lost within 2s
expect roles stay for 3s
switchover a
wait 1s
expect primary a
live port b
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
    0.87  > dead port b
    0.94  b: ALARM witness-lost: no witness answers on the service LAN
    0.95  ok      alarm witness-lost at b
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.95  ok      roles stay for 3s
    3.95  > switchover a
    3.95  a: console: no: refused: the backup says that it is not fit
    4.95  ok      primary a
    4.95  > live port b
    4.95  b: alarm over: lan-path-down
    4.96  a: alarm over: lan-path-down
    5.35  b: alarm over: witness-lost
    6.95  ok      no alarms
   11.95  ok      calls kept
