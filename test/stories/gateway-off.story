# The witness dies alone: the boxes hear each other over the LAN, so it is he who is out. He holds nobody
# back for longer than it takes to see that.
pair witness
start
call 1000 1001
gateway off
expect roles stay for 5s
kill a
expect primary b within 50ms
boot a
expect in step within 5s
gateway on
wait 2s
expect no alarms
expect calls kept
---
    0.00  > start
    0.00  a: starting
    0.03  b: starting
    0.06  a: promoting
    0.18  a: announces the VIP
    0.18  a: primary of epoch 1: cold-start
    0.18  a: primary, epoch 1
    0.18  b: backup
    0.23  a: in step
    0.23  b: in step
    0.24  a: speaks
    0.74  > call 1000 1001
    0.84  > gateway off
    3.03  b: ALARM witness-lost: no witness answers on the service LAN
    3.06  a: ALARM witness-lost: no witness answers on the service LAN
    4.06  b: alarm over: witness-lost
    4.08  a: alarm over: witness-lost
    5.84  ok      roles stay for 5s
    5.84  > kill a
    5.84  b: promoting
    5.85  b: announces the VIP
    5.85  b: primary of epoch 2: peer-closed
    5.85  b: primary, epoch 2
    5.85  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    5.86  ok      primary b within 50ms
    5.86  > boot a
    5.86  a: starting
    5.88  b: ALARM crossover-down: the other box is not heard over the crossover
    5.88  b: alarm over: crossover-down
    5.91  a: backup
    6.03  b: in step
    6.03  a: in step
    6.04  ok      in step within 5s
    6.04  > gateway on
    6.06  b: alarm over: not-protected
    8.04  ok      no alarms
    8.04  b: speaks
   13.04  ok      calls kept
