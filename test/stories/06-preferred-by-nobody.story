# 6: both boxes restart one after the other, twice (an update does that): one planned switch a box, roles
# only change when a box goes.
pair witness 6
start
calls all the time
wait 3s
switchover a
expect primary b within 100ms
expect outage at most 20ms
kill a
wait 1s
boot a
expect in step within 5s
expect roles stay for 5s
switchover b
expect primary a within 100ms
expect outage at most 20ms
kill b
wait 1s
boot b
expect in step within 5s
expect roles stay for 5s
expect epoch 3
no new calls
wait 12s
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
    0.76  > calls all the time
    3.76  > switchover a
    3.76  a: resigning
    3.76  a: backup
    3.76  b: promoting
    3.76  b: announces the VIP
    3.76  b: primary of epoch 2: switchover
    3.76  b: primary, epoch 2
    3.76  a: console: ok: box b is primary, epoch 2
    3.76  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.77  ok      primary b within 100ms
    3.77  ok      outage at most 20ms
    3.77  > kill a
    3.77  b: speaks
    3.88  b: ALARM crossover-down: the other box is not heard over the crossover
    4.77  > boot a
    4.77  a: starting
    4.78  a: backup
    4.78  b: alarm over: crossover-down
    4.84  b: in step
    4.84  a: in step
    4.84  ok      in step within 5s
    4.84  b: alarm over: not-protected
    9.84  ok      roles stay for 5s
    9.84  > switchover b
    9.84  b: resigning
    9.84  b: backup
    9.84  a: promoting
    9.84  a: announces the VIP
    9.84  a: primary of epoch 3: switchover
    9.84  a: primary, epoch 3
    9.84  b: console: ok: box a is primary, epoch 3
    9.85  ok      primary a within 100ms
    9.85  ok      outage at most 20ms
    9.85  > kill b
    9.87  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    9.95  a: ALARM crossover-down: the other box is not heard over the crossover
   10.15  a: speaks
   10.85  > boot b
   10.85  b: starting
   10.87  b: backup
   10.87  a: alarm over: crossover-down
   10.87  a: in step
   10.87  b: in step
   10.88  ok      in step within 5s
   10.88  a: alarm over: not-protected
   15.88  ok      roles stay for 5s
   15.88  ok      epoch 3
   15.88  > no new calls
