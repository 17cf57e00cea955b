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
    0.24  a: in step
    0.24  b: in step
    0.25  a: speaks
    8.75  > power off a
    8.75  > power off b
    9.75  > boot a
    9.75  a: starting
   12.65  ok      nobody primary for 2900ms
   12.75  a: ALARM crossover-down: the other box is not heard over the crossover
   12.75  a: promoting
   12.78  a: primary of epoch 2: cold-start
   12.78  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   12.78  a: primary, epoch 2
   12.79  ok      primary a within 4s
   12.79  > power off a
   13.79  > boot b
   13.79  b: starting
   16.79  b: ALARM crossover-down: the other box is not heard over the crossover
   23.79  ok      nobody primary for 10s
   23.79  > promote b
   23.79  b: console: ok: promoting this box
   23.79  b: promoting
   23.82  b: announces the VIP
   23.82  b: primary of epoch 2: operator
   23.82  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   23.82  b: primary, epoch 2
   23.83  ok      primary b within 500ms
   23.83  > boot a
   23.83  a: starting
   23.83  a: backup
   23.83  b: alarm over: crossover-down
   23.99  b: in step
   23.99  a: in step
   24.00  ok      in step within 5s
   24.00  ok      primary b
