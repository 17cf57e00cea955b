# 25: the disk of the primary is stalled: calls go on from memory, and it recovers; then the other box leads.
pair witness
start
call 1000 1001
disk of a stalled
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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    0.75  > call 1000 1001
    0.85  > disk of a stalled
    2.94  a: ALARM disk: no answer for 2046 ms: going on from memory
   10.85  ok      primary a
   10.85  ok      epoch 1
   11.06  ok      new calls
   11.06  ok      they end
   11.06  > disk of a works
   13.10  a: disk: writes again
   14.06  ok      in step within 15s
   14.06  > kill a
   14.06  b: promoting
   14.07  b: announces the VIP
   14.07  b: primary of epoch 2: peer-closed
   14.07  b: primary, epoch 2
   14.07  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   14.07  ok      primary b within 50ms
   14.07  > boot a
   14.07  a: starting
   14.10  b: ALARM crossover-down: the other box is not heard over the crossover
   14.10  b: alarm over: crossover-down
   14.11  a: backup
   14.23  b: in step
   14.23  a: in step
   14.24  ok      in step within 15s
   14.24  b: speaks
   14.24  b: alarm over: not-protected
   19.24  ok      calls kept
