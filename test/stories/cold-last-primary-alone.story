# Cold start: the last known primary boots alone: it leads after the hold. The other one, alone, waits
# for the operator.
pair witness
start
wait 8s
power off a
power off b
wait 1s
boot a
expect nobody primary for 2900ms
expect primary a within 4s
power off a
wait 1s
boot b
expect nobody primary for 10s
promote b
expect primary b within 500ms
boot a
expect in step within 5s
expect primary b
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
    8.76  > power off a
    8.76  > power off b
    9.76  > boot a
    9.76  a: starting
   12.66  ok      nobody primary for 2900ms
   12.76  a: ALARM crossover-down: the other box is not heard over the crossover
   12.76  a: promoting
   12.80  a: primary of epoch 2: cold-start
   12.80  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   12.80  a: primary, epoch 2
   12.80  ok      primary a within 4s
   12.80  > power off a
   13.80  > boot b
   13.80  b: starting
   16.80  b: ALARM crossover-down: the other box is not heard over the crossover
   23.80  ok      nobody primary for 10s
   23.80  > promote b
   23.80  b: console: ok: promoting this box
   23.80  b: promoting
   23.84  b: announces the VIP
   23.84  b: primary of epoch 2: operator
   23.84  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   23.84  b: primary, epoch 2
   23.84  ok      primary b within 500ms
   23.84  > boot a
   23.84  a: starting
   23.84  b: alarm over: crossover-down
   23.85  a: backup
   24.03  b: in step
   24.03  b: alarm over: not-protected
   24.03  a: in step
   24.03  ok      in step within 5s
   24.03  ok      primary b
