# 4: both threads of both boxes get the processor late and seldom, and the disk is slow, for a minute:
# no role changes.
pair witness
start
call 1000 1001
load engine of a 180ms of every 220ms for 60s
load engine of b 180ms of every 220ms for 60s
load sentry of a 70ms of every 90ms for 60s
load sentry of b 60ms of every 85ms for 60s
calls all the time
wait 62s
no new calls
expect primary a
expect epoch 1
expect in step within 70s
wait 12s
expect no alarms
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
    0.87  > load engine of a 180ms of every 220ms for 60s
    0.87  > load engine of b 180ms of every 220ms for 60s
    0.87  > load sentry of a 70ms of every 90ms for 60s
    0.87  > load sentry of b 60ms of every 85ms for 60s
    0.87  > calls all the time
   62.87  > no new calls
   62.87  ok      primary a
   62.87  ok      epoch 1
   62.87  ok      in step within 70s
   65.17  a: announces the VIP
   74.87  ok      no alarms
