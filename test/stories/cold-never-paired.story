# Cold start: a box that was never paired waits for its peer, or for the operator.
pair witness
boot a
expect nobody primary for 10s
promote a
expect primary a within 500ms
boot b
expect in step within 3s
expect primary a
register
expect new calls
---
    0.00  > boot a
    0.00  a: starting
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
   10.00  ok      nobody primary for 10s
   10.00  > promote a
   10.00  a: console: ok: promoting this box
   10.00  a: promoting
   10.04  a: announces the VIP
   10.04  a: primary of epoch 1: operator
   10.04  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   10.04  a: primary, epoch 1
   10.04  ok      primary a within 500ms
   10.04  > boot b
   10.04  b: starting
   10.04  b: backup
   10.04  a: alarm over: crossover-down
   10.07  a: in step
   10.07  b: in step
   10.07  ok      in step within 3s
   10.07  ok      primary a
   10.07  > register
   10.07  a: alarm over: not-protected
   10.07  a: speaks
   10.78  ok      new calls
   10.78  ok      they end
