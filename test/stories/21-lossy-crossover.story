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
    0.24  a: in step
    0.24  b: in step
    0.24  a: speaks
    0.74  > calls all the time
    0.74  > crossover loses 10 % and delays up to 50ms
    0.80  a: ALARM acknowledgements are late: going on alone
    0.80  a: ALARM not protected: the peer is out of step
    1.01  a: in step
    1.05  b: in step
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.30  BROKEN  calls-survive: c5 1005>1003 at callee 1003: re-INVITE answered 422
   11.12  b: ALARM crossover-down: the other box is not heard over the crossover
   11.14  b: alarm over: crossover-down
   20.74  ok      primary a
   20.74  ok      epoch 1
   20.74  > crossover loses 0 % and delays up to 1ms
   21.16  a: in step
   21.16  b: in step
   21.17  ok      in step within 5s
   21.17  > no new calls
   21.18  a: alarm over: not-protected
   33.17  ok      equal tables within 30s
