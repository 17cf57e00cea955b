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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > load engine of a 180ms of every 220ms for 60s
    0.85  > load engine of b 180ms of every 220ms for 60s
    0.85  > load sentry of a 70ms of every 90ms for 60s
    0.85  > load sentry of b 60ms of every 85ms for 60s
    0.85  > calls all the time
    2.00  BROKEN  calls-survive: c2 1001>1003 at callee 1003: re-INVITE answered 422
    2.35  a: ALARM acknowledgements are late: going on alone
    2.35  a: ALARM not protected: the peer is out of step
    2.35  a: in step
    2.35  b: in step
   14.98  a: ALARM acknowledgements are late: going on alone
   14.98  a: ALARM not protected: the peer is out of step
   15.05  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   15.11  a: in step
   15.11  b: in step
   15.14  a: alarm over: not-protected
   62.85  > no new calls
   62.85  ok      primary a
   62.85  ok      epoch 1
   62.85  ok      in step within 70s
   65.17  a: announces the VIP
   74.85  ok      no alarms
