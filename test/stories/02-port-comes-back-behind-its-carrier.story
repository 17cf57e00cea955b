# 2: the port of a primary was dead behind its carrier, nobody could take over, and the box announced
# itself where nobody heard it. Once the port carries again it announces within 100 ms.
pair
start
pull lan b
dead port a
kill a
wait 300ms
boot a
expect role a primary within 10s
plug lan b
wait 7s
live port a
expect a announces within 100ms
expect caches point to a within 300ms
expect new calls
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
    0.76  > pull lan b
    0.76  > dead port a
    0.76  > kill a
    0.76  b: ALARM lan-down: the port to the service LAN has no carrier
    0.76  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: own service LAN has no carrier
    1.06  > boot a
    1.06  a: starting
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    4.06  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    4.09  a: promoting
    4.12  a: ALARM older-tables: box b has newer tables and has been unfit for too long: begun without them
    4.12  a: primary of epoch 2: cold-start
    4.12  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    4.12  a: primary, epoch 2
    4.12  b: alarm over: not-eligible
    4.13  ok      a is primary
    4.13  > plug lan b
    4.13  b: alarm over: lan-down
    4.24  a: in step
    4.24  b: in step
    4.26  a: alarm over: not-protected
    4.26  a: alarm over: older-tables
   11.13  > live port a
   11.13  a: alarm over: lan-path-down
   11.14  ok      a announces within 100ms
   11.14  ok      caches point to a within 300ms
   11.14  b: alarm over: lan-path-down
   11.34  ok      new calls
   11.34  ok      they end
