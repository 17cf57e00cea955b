# 1, link case 5: the LAN is gone for both: roles stay, and calls go on where they were.
pair witness
start
call 1000 1001
pull lan a
pull lan b
expect roles stay for 15s
plug lan a
plug lan b
expect primary a within 100ms
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
    0.87  > pull lan a
    0.87  > pull lan b
    0.87  b: ALARM lan-down: the port to the service LAN has no carrier
    0.87  a: ALARM lan-down: the port to the service LAN has no carrier
    0.94  a: ALARM witness-lost: no witness answers on the service LAN
    0.94  b: ALARM witness-lost: no witness answers on the service LAN
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
   15.87  ok      roles stay for 15s
   15.87  > plug lan a
   15.87  > plug lan b
   15.87  ok      primary a within 100ms
   15.87  a: announces the VIP
   15.87  a: alarm over: lan-down
   15.87  b: alarm over: lan-down
   15.87  b: alarm over: witness-lost
   15.87  b: alarm over: lan-path-down
   15.87  a: alarm over: lan-path-down
   15.87  a: alarm over: witness-lost
   17.87  ok      no alarms
   22.87  ok      calls kept
