# 25: the disk of the primary is read-only: calls go on from memory, and it recovers; then the other box leads.
pair witness
start
call 1000 1001
disk of a read-only
wait 10s
expect primary a
expect epoch 1
expect new calls
disk of a works
wait 3s
expect in step within 15s
kill a
expect primary b within 50ms
boot a
expect in step within 15s
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
    0.87  > disk of a read-only
    0.91  a: ALARM disk: the file system is read-only: going on from memory
   10.87  ok      primary a
   10.87  ok      epoch 1
   11.07  ok      new calls
   11.07  ok      they end
   11.07  > disk of a works
   13.95  a: disk: writes again
   14.07  ok      in step within 15s
   14.07  > kill a
   14.07  b: promoting
   14.08  b: announces the VIP
   14.08  b: primary of epoch 2: peer-closed
   14.08  b: primary, epoch 2
   14.08  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   14.09  ok      primary b within 50ms
   14.09  > boot a
   14.09  a: starting
   14.11  b: ALARM crossover-down: the other box is not heard over the crossover
   14.11  b: alarm over: crossover-down
   14.13  a: backup
   14.24  b: in step
   14.24  a: in step
   14.24  ok      in step within 15s
   14.24  b: speaks
   14.24  b: alarm over: not-protected
   19.24  ok      calls kept
