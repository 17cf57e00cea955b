# 1, link case 4: the LAN cable of the primary is pulled. The crossover shows that the backup's LAN is
# better: agreed handover.
pair witness
start
call 1000 1001
pull lan a
expect primary b within 100ms
expect outage at most 100ms
expect alarm a lan-down
expect calls kept
plug lan a
wait 2s
expect primary b
expect in step within 3s
expect epoch 2
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
    0.87  a: ALARM lan-down: the port to the service LAN has no carrier
    0.91  a: ALARM own service LAN has no carrier: handing over to box b
    0.91  a: resigning
    0.91  a: backup
    0.91  b: promoting
    0.91  b: announces the VIP
    0.91  b: primary of epoch 2: lan-lost
    0.91  b: primary, epoch 2
    0.91  ok      primary b within 100ms
    0.91  ok      outage at most 100ms
    0.91  ok      alarm lan-down at a
    0.91  b: speaks
    0.92  b: in step
    0.92  a: in step
    0.94  a: ALARM witness-lost: no witness answers on the service LAN
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    5.91  ok      calls kept
    5.91  > plug lan a
    5.91  a: alarm over: lan-down
    5.91  b: alarm over: lan-path-down
    5.91  a: alarm over: witness-lost
    5.93  a: alarm over: lan-path-down
    7.91  ok      primary b
    7.91  ok      in step within 3s
    7.91  ok      epoch 2
