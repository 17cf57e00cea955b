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
    0.26  a: in step
    0.26  b: in step
    0.26  a: speaks
    0.76  > calls all the time
   10.76  ok      b has said no SIP
   10.76  > switchover a
   10.76  a: resigning
   10.76  a: backup
   10.76  b: promoting
   10.76  b: announces the VIP
   10.76  b: primary of epoch 2: switchover
   10.76  b: primary, epoch 2
   10.76  a: console: ok: box b is primary, epoch 2
   10.76  b: ALARM not-protected: no backup is in step: calls go on, on this box alone
   10.77  ok      primary b within 500ms
   10.77  b: speaks
   10.77  b: in step
   10.77  a: in step
   10.77  b: alarm over: not-protected
   11.77  ok      in step within 5s
   11.77  > switchover b
   11.77  b: resigning
   11.77  b: backup
   11.77  a: promoting
   11.77  a: announces the VIP
   11.77  a: primary of epoch 3: switchover
   11.77  a: primary, epoch 3
   11.77  b: console: ok: box a is primary, epoch 3
   11.77  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   11.78  ok      primary a within 500ms
   11.78  a: in step
   11.78  b: in step
   11.78  ok      in step within 5s
   11.78  a: alarm over: not-protected
   13.11  a: speaks
   21.78  > no new calls
