# 1, link case 3: the LAN cable of the backup is pulled: it is not eligible, and says so. When the
# primary dies meanwhile nobody leads until the LAN of the backup is back.
pair witness
start
call 1000 1001
pull lan b
expect alarm b lan-down within 100ms
expect roles stay for 3s
expect calls kept
kill a
expect nobody primary for 3s
expect alarm b not-eligible
plug lan b
expect primary b within 500ms
boot a
expect in step within 5s
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
    0.87  > pull lan b
    0.87  b: ALARM lan-down: the port to the service LAN has no carrier
    0.87  ok      alarm lan-down at b
    0.94  b: ALARM witness-lost: no witness answers on the service LAN
    3.00  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    3.87  ok      roles stay for 3s
    8.87  ok      calls kept
    8.87  > kill a
    8.87  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: own service LAN has no carrier
    8.96  b: ALARM crossover-down: the other box is not heard over the crossover
    8.96  b: alarm over: lan-path-down
   11.87  ok      nobody primary for 3s
   11.87  ok      alarm not-eligible at b
   11.87  > plug lan b
   11.87  b: alarm over: lan-down
   11.87  b: alarm over: witness-lost
   11.99  b: promoting
   12.02  b: announces the VIP
   12.02  b: alarm over: not-eligible
   12.02  b: primary of epoch 2: peer-silent
   12.02  b: primary, epoch 2
   12.02  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   12.03  ok      primary b within 500ms
   12.03  > boot a
   12.03  a: starting
   12.03  a: backup
   12.03  b: alarm over: crossover-down
   12.04  b: in step
   12.04  a: in step
   12.04  ok      in step within 5s
   12.04  b: speaks
   12.04  b: alarm over: not-protected
   17.04  ok      calls kept
