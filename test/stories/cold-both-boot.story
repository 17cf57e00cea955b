# Cold start: the whole site loses power and both boxes boot together: the later reign leads, with all
# that was written; nobody preempts.
pair witness
start
call 1000 1001
kill a
expect primary b within 50ms
boot a
expect in step within 5s
wait 1s
power off a
power off b
wait 1s
boot a
boot b
expect in step within 8s
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
    0.76  > call 1000 1001
    0.87  > kill a
    0.87  b: promoting
    0.88  b: announces the VIP
    0.88  b: primary of epoch 2: peer-closed
    0.88  b: primary, epoch 2
    0.88  ok      primary b within 50ms
    0.88  > boot a
    0.88  a: starting
    0.91  a: backup
    1.04  b: in step
    1.04  a: in step
    1.04  ok      in step within 5s
    2.04  > power off a
    2.04  > power off b
    3.04  > boot a
    3.04  > boot b
    3.04  a: starting
    3.04  b: starting
    3.04  a: ALARM witness-lost: no witness answers on the service LAN
    3.04  a: alarm over: witness-lost
    3.04  a: promoting
    3.16  a: announces the VIP
    3.16  a: primary of epoch 3: cold-start
    3.16  a: primary, epoch 3
    3.16  b: backup
    3.25  a: in step
    3.25  b: in step
    3.25  ok      in step within 8s
    3.46  ok      new calls
    3.46  ok      they end
