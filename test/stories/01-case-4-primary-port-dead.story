# 1, link case 4, behind a carrier that stays: the witness tells. Detecting takes longer than with a
# cable that is pulled.
pair witness
start
call 1000 1001
dead port a
expect primary b within 200ms
expect outage at most 200ms
expect calls kept
live port a
wait 2s
expect primary b
expect in step within 3s
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
    0.94  a: ALARM witness-lost: no witness answers on the service LAN
    0.98  a: ALARM no witness answers on the own service LAN: handing over to box b
    0.98  a: resigning
    0.98  a: backup
    0.98  b: promoting
    0.98  b: announces the VIP
    0.98  b: primary of epoch 2: lan-lost
    0.98  b: primary, epoch 2
    0.99  ok      primary b within 200ms
    0.99  ok      outage at most 200ms
    0.99  b: speaks
    0.99  b: in step
    0.99  a: in step
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    5.99  ok      calls kept
    5.99  > live port a
    6.00  b: alarm over: lan-path-down
    6.01  a: alarm over: lan-path-down
    6.36  a: alarm over: witness-lost
    7.99  ok      primary b
    7.99  ok      in step within 3s
