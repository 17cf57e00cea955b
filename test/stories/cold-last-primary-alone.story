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
    0.24  a: speaks
    8.74  > power off a
    8.74  > power off b
    9.74  > boot a
    9.74  a: starting
   12.64  ok      nobody primary for 2900ms
   12.74  a: ALARM crossover-down: the other box is not heard over the crossover
   12.74  a: promoting
   12.78  a: primary of epoch 2: cold-start
   12.78  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   12.78  a: primary, epoch 2
   12.78  ok      primary a within 4s
   12.78  > power off a
   13.78  > boot b
   13.78  b: starting
   16.78  b: ALARM crossover-down: the other box is not heard over the crossover
   23.78  ok      nobody primary for 10s
   23.78  > promote b
   23.78  b: console: ok: promoting this box
   23.78  b: promoting
   23.82  b: announces the VIP
   23.82  b: primary of epoch 2: operator
   23.82  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   23.82  b: primary, epoch 2
   23.82  ok      primary b within 500ms
   23.82  > boot a
   23.82  a: starting
   23.82  a: ALARM witness-lost: no witness answers on the service LAN
   23.82  a: backup
   23.82  a: alarm over: witness-lost
   23.82  b: alarm over: crossover-down
   23.99  b: in step
   23.99  a: in step
   23.99  ok      in step within 5s
   23.99  ok      primary b
