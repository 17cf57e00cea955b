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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > dead port b
    0.92  b: ALARM witness-lost: no witness answers on the service LAN
    0.92  ok      alarm witness-lost at b
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.92  ok      roles stay for 3s
    3.92  > switchover a
    3.92  a: console: no: refused: the backup says that it is not fit
    4.92  ok      primary a
    4.92  > live port b
    4.93  b: alarm over: lan-path-down
    4.93  a: alarm over: lan-path-down
    5.33  b: alarm over: witness-lost
    6.92  ok      no alarms
   11.92  ok      calls kept
