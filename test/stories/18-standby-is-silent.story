# 18: under calls, through a switchover and back, the backup's service address says no SIP.
pair witness 6
start
calls all the time
wait 10s
expect b silent
switchover a
expect primary b within 500ms
wait 1s
expect in step within 5s
switchover b
expect primary a within 500ms
expect in step within 5s
wait 10s
no new calls
wait 10s
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
    3.30  BROKEN  calls-survive: c5 1005>1003 at callee 1003: re-INVITE answered 422
   10.74  ok      b has said no SIP
   10.74  > switchover a
   10.74  a: resigning
   10.74  a: backup
   10.74  b: promoting
   10.74  b: announces the VIP
   10.74  b: primary of epoch 2: switchover
   10.74  b: primary, epoch 2
   10.74  a: console: ok: box b is primary, epoch 2
   10.74  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   10.75  ok      primary b within 500ms
   10.75  b: in step
   10.75  a: in step
   10.75  b: alarm over: not-protected
   10.75  b: speaks
   11.75  ok      in step within 5s
   11.75  > switchover b
   11.75  b: resigning
   11.75  b: backup
   11.75  a: promoting
   11.75  a: announces the VIP
   11.75  a: primary of epoch 3: switchover
   11.75  a: primary, epoch 3
   11.75  b: console: ok: box a is primary, epoch 3
   11.75  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   11.75  a: in step
   11.75  b: in step
   11.76  ok      primary a within 500ms
   11.76  ok      in step within 5s
   11.76  a: alarm over: not-protected
   13.09  a: speaks
   21.76  > no new calls
