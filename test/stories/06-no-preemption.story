# 6: the old primary reboots, is switched off and on, and its LAN cable comes and goes: roles stay.
pair witness
start
call 1000 1001
kill a
expect primary b within 50ms
boot a
expect in step within 5s
expect roles stay for 5s
power off a
wait 3s
boot a
expect in step within 5s
expect roles stay for 5s
pull lan a
wait 2s
plug lan a
expect roles stay for 70s
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
    0.26  a: in step
    0.26  b: in step
    0.26  a: speaks
    0.76  > call 1000 1001
    0.87  > kill a
    0.87  b: promoting
    0.88  b: announces the VIP
    0.88  b: primary of epoch 2: peer-closed
    0.88  b: primary, epoch 2
    0.88  ok      primary b within 50ms
    0.88  > boot a
    0.88  a: starting
    0.91  a: backup
    1.04  b: in step
    1.04  a: in step
    1.04  ok      in step within 5s
    6.04  ok      roles stay for 5s
    6.04  > power off a
    6.14  b: ALARM crossover-down: the other box is not heard over the crossover
    6.36  b: ALARM acknowledgements are late: going on alone
    6.36  b: ALARM not protected: the peer is out of step
    6.36  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    9.04  > boot a
    9.04  a: starting
    9.06  a: backup
    9.06  b: alarm over: crossover-down
    9.24  b: in step
    9.24  a: in step
    9.24  ok      in step within 5s
    9.24  b: alarm over: not-protected
   14.24  ok      roles stay for 5s
   14.24  > pull lan a
   14.24  a: ALARM lan-down: the port to the service LAN has no carrier
   14.32  a: ALARM witness-lost: no witness answers on the service LAN
   14.33  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
   14.34  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
   16.24  > plug lan a
   16.24  a: alarm over: lan-down
   16.24  b: alarm over: lan-path-down
   16.24  a: alarm over: witness-lost
   16.26  a: alarm over: lan-path-down
   16.26  b: speaks
   81.24  b: announces the VIP
   86.24  ok      roles stay for 70s
   86.24  ok      primary b
   86.24  ok      epoch 2
   91.24  ok      calls kept
