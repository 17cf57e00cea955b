# 1, link case 8: crossover cut and heartbeats lost, but the VIP answers: stay, alarm.
pair
start
call 1000 1001
cut crossover
lose heartbeats on the lan
expect b not primary for 20s
expect alarm b vip-answered
expect primary a
expect calls kept
heal crossover
carry heartbeats on the lan
expect in step within 5s
expect epoch 1
wait 1s
expect no alarms
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
    0.87  > cut crossover
    0.87  > lose heartbeats on the lan
    0.96  b: promoting
    0.96  b: backup
    1.22  b: ALARM vip-answered: the VIP is still answered by 02:53:50:00:00:0a: not claimed
    1.24  a: ALARM acknowledgements are late: going on alone
    1.24  a: ALARM not protected: the peer is out of step
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
   20.87  ok      b not primary for 20s
   20.87  ok      alarm vip-answered at b
   20.87  ok      primary a
   25.87  ok      calls kept
   25.87  > heal crossover
   25.87  > carry heartbeats on the lan
   25.88  b: alarm over: crossover-down
   25.88  a: alarm over: crossover-down
   25.88  a: announces the VIP
   25.88  b: suspicion (peer-silent) was wrong: box a lives, roles stay
   25.88  b: alarm over: vip-answered
   25.88  a: in step
   25.88  b: in step
   25.89  ok      in step within 5s
   25.89  ok      epoch 1
   25.90  a: alarm over: not-protected
   26.89  ok      no alarms
