# 21: 10 % loss and 50 ms jitter on the crossover for twenty seconds: calls go on, roles stay; the pair is
# in step again when the line is good.
pair witness 6
start
calls all the time
crossover loses 10 % and delays up to 50ms
wait 20s
expect primary a
expect epoch 1
crossover loses 0 % and delays up to 1ms
expect in step within 5s
no new calls
wait 12s
expect equal tables within 30s
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
    0.76  > calls all the time
    0.76  > crossover loses 10 % and delays up to 50ms
    0.82  a: ALARM acknowledgements are late: going on alone
    0.82  a: ALARM not protected: the peer is out of step
    0.88  a: in step
    0.91  b: in step
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   20.76  ok      primary a
   20.76  ok      epoch 1
   20.76  > crossover loses 0 % and delays up to 1ms
   21.27  a: in step
   21.27  ok      in step within 5s
   21.27  > no new calls
   21.27  b: in step
   21.28  a: alarm over: not-protected
   33.27  ok      equal tables within 30s
