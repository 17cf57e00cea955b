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
    0.18  a: announces the VIP
    0.18  a: primary of epoch 1: cold-start
    0.18  a: primary, epoch 1
    0.18  b: backup
    0.23  a: in step
    0.23  b: in step
    0.24  a: speaks
    0.74  > call 1000 1001
   65.18  a: announces the VIP
   70.84  ok      roles stay for 70s
   70.84  ok      epoch 1
   70.84  ok      no alarms
   75.84  ok      calls kept
