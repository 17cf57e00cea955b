# 1, link case 1: everything is up. Nothing happens.
pair witness
start
call 1000 1001
expect roles stay for 70s
expect epoch 1
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
   65.17  a: announces the VIP
   70.87  ok      roles stay for 70s
   70.87  ok      epoch 1
   70.87  ok      no alarms
   75.87  ok      calls kept
