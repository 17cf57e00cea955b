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
    0.24  a: in step
    0.24  b: in step
    0.24  a: speaks
    0.74  > pull lan b
    0.74  > dead port a
    0.74  > kill a
    0.74  b: ALARM lan-down: the port to the service LAN has no carrier
    0.74  b: ALARM not-eligible: the primary is not heard, or its link closed; this box must not take over: own service LAN has no carrier
    1.04  > boot a
    1.04  a: starting
    3.03  b: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    4.04  a: ALARM lan-path-down: the other box is heard over the crossover, but not over the service LAN
    4.07  a: promoting
    4.10  a: ALARM older-tables: box b has newer tables and has been unfit for too long: begun without them
    4.10  a: primary of epoch 2: cold-start
    4.10  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    4.10  a: primary, epoch 2
    4.10  b: alarm over: not-eligible
    4.10  ok      a is primary
    4.10  > plug lan b
    4.10  b: alarm over: lan-down
    4.23  a: in step
    4.23  b: in step
    4.24  a: alarm over: not-protected
    4.24  a: alarm over: older-tables
   11.10  > live port a
   11.11  a: alarm over: lan-path-down
   11.11  ok      a announces within 100ms
   11.11  ok      caches point to a within 300ms
   11.12  b: alarm over: lan-path-down
   11.32  ok      new calls
   11.32  ok      they end
