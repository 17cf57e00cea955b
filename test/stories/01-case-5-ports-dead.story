# 1, link case 5, behind carriers that stay: the LAN comes back for both, and the backup happens to see it
# first. That is no reason to change roles.
pair witness
start
call 1000 1001
dead port a
dead port b
expect roles stay for 5170ms
live port a
live port b
expect roles stay for 10s
expect no alarms
expect epoch 1
expect calls kept
dead port a
dead port b
expect roles stay for 5430ms
live port a
live port b
expect roles stay for 10s
expect epoch 1
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
    0.87  > dead port a
    0.87  > dead port b
    0.94  a: ALARM witness-lost: no witness answers on the service LAN
    0.94  b: ALARM witness-lost: no witness answers on the service LAN
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    6.04  ok      roles stay for 5170ms
    6.04  > live port a
    6.04  > live port b
    6.04  a: alarm over: witness-lost
    6.04  b: alarm over: lan-path-down
    6.04  b: alarm over: witness-lost
    6.04  a: alarm over: lan-path-down
   16.04  ok      roles stay for 10s
   16.04  ok      no alarms
   16.04  ok      epoch 1
   21.04  ok      calls kept
   21.04  > dead port a
   21.04  > dead port b
   21.11  b: ALARM witness-lost: no witness answers on the service LAN
   21.11  a: ALARM witness-lost: no witness answers on the service LAN
   21.14  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
   21.14  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
   26.47  ok      roles stay for 5430ms
   26.47  > live port a
   26.47  > live port b
   26.47  b: alarm over: witness-lost
   26.47  a: announces the VIP
   26.47  a: alarm over: lan-path-down
   26.47  a: alarm over: witness-lost
   26.47  b: alarm over: lan-path-down
   36.47  ok      roles stay for 10s
   36.47  ok      epoch 1
