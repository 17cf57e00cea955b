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
    0.17  a: announces the VIP
    0.17  a: primary of epoch 1: cold-start
    0.17  a: primary, epoch 1
    0.17  b: backup
    0.26  a: in step
    0.26  b: in step
    0.26  a: speaks
    0.76  > call 1000 1001
    0.87  > gateway off
    3.05  b: ALARM witness-lost: no witness answers on the service LAN
    3.05  a: ALARM witness-lost: no witness answers on the service LAN
    4.05  a: alarm over: witness-lost
    4.05  b: alarm over: witness-lost
    5.87  ok      roles stay for 5s
    5.87  > kill a
    5.87  b: promoting
    5.88  b: announces the VIP
    5.88  b: primary of epoch 2: peer-closed
    5.88  b: primary, epoch 2
    5.88  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    5.89  ok      primary b within 50ms
    5.89  > boot a
    5.89  a: starting
    5.91  b: ALARM crossover-down: the other box is not heard over the crossover
    5.91  b: alarm over: crossover-down
    5.93  a: backup
    6.04  b: in step
    6.04  a: in step
    6.04  ok      in step within 5s
    6.04  > gateway on
    6.04  b: alarm over: not-protected
    8.04  ok      no alarms
    8.04  b: speaks
   13.04  ok      calls kept
