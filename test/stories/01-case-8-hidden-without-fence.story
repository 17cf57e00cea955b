# 1 and 2, link case 8, the residual one: crossover cut, and a LAN that shows both boxes to everybody but
# hides them from each other. Dead and hidden look the same: two primaries. On heal the higher epoch
# keeps the VIP, announces within 100 ms, caches are right within 300 ms, the loser says nothing more.
pair
start
hide the boxes from each other
this breaks one-voice
this breaks no-amnesia
this breaks one-face
this breaks face-follows-role
cut crossover
wait 3s
show the boxes to each other
expect b announces within 100ms
expect caches point to b within 300ms
expect primary b within 300ms
expect no vip at a within 300ms
expect a not primary for 3s
expect a silent
heal crossover
expect in step within 5s
expect epoch 2
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
    0.76  > hide the boxes from each other
    0.76  > cut crossover
    0.86  b: promoting
    0.90  b: announces the VIP
    0.90  b: primary of epoch 2: peer-silent
    0.90  b: primary, epoch 2
    1.14  a: ALARM acknowledgements are late: going on alone
    1.14  a: ALARM not protected: the peer is out of step
    1.17  a: announces the VIP
    1.30  b: announces the VIP
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.03  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.03  b: ALARM crossover-down: the other box is not heard over the crossover
    3.76  > show the boxes to each other
    3.78  b: ALARM two-primaries: box a of epoch 1 leads too and must give way
    3.78  b: alarm over: two-primaries
    3.78  a: ALARM vip-conflict: the VIP 192.0.2.10 is also claimed by 02:53:50:00:00:0b
    3.78  a: announces the VIP
    3.78  a: ALARM two-primaries: gave way to box b of epoch 2
    3.78  a: alarm over: vip-conflict
    3.78  a: alarm over: not-protected
    3.78  a: alarm over: two-primaries
    3.78  a: backup
    3.78  b: ALARM vip-conflict: the VIP 192.0.2.10 is also claimed by 02:53:50:00:00:0a
    3.78  b: announces the VIP
    3.78  ok      b announces within 100ms
    3.78  ok      caches point to b within 300ms
    3.78  ok      primary b within 300ms
    3.78  ok      no VIP at a within 300ms
    6.78  ok      a not primary for 3s
    6.78  ok      a has said no SIP
    6.78  > heal crossover
    6.78  a: alarm over: crossover-down
    6.80  b: alarm over: crossover-down
    6.84  b: in step
    6.84  a: in step
    6.84  ok      in step within 5s
    6.84  ok      epoch 2
    6.84  b: speaks
    6.84  b: alarm over: not-protected
    7.05  ok      new calls
    7.05  ok      they end
