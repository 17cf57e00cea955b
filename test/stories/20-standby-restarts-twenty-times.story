# 20: the standby restarts twenty times under load; every time the tables are equal within ten seconds.
pair witness 8
start
calls all the time
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
power off b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
kill b
wait 300ms
boot b
expect in step within 10s
expect equal tables within 10s
no new calls
wait 12s
expect primary a
expect epoch 1
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
    0.25  a: speaks
    0.75  > calls all the time
    0.75  > power off b
    0.80  a: ALARM acknowledgements are late: going on alone
    0.80  a: ALARM not protected: the peer is out of step
    1.05  > boot b
    1.05  b: starting
    1.05  b: backup
    1.05  a: in step
    1.05  b: in step
    1.06  ok      in step within 10s
    1.06  ok      equal tables within 10s
    1.06  > kill b
    1.06  a: ALARM not protected: the peer is out of step
    1.36  > boot b
    1.36  b: starting
    1.38  b: backup
    1.38  a: in step
    1.38  b: in step
    1.39  ok      in step within 10s
    1.39  ok      equal tables within 10s
    1.39  > power off b
    1.69  > boot b
    1.69  b: starting
    1.70  b: backup
    1.71  a: in step
    1.71  b: in step
    1.71  ok      in step within 10s
    1.71  ok      equal tables within 10s
    1.71  > kill b
    1.71  a: ALARM not protected: the peer is out of step
    2.01  > boot b
    2.01  b: starting
    2.03  b: backup
    2.03  a: in step
    2.03  b: in step
    2.04  ok      in step within 10s
    2.04  ok      equal tables within 10s
    2.04  > power off b
    2.30  BROKEN  calls-survive: c4 1003>1000 at callee 1000: re-INVITE answered 422
    2.34  > boot b
    2.34  b: starting
    2.35  b: backup
    2.35  a: in step
    2.35  b: in step
    2.36  ok      in step within 10s
    2.36  ok      equal tables within 10s
    2.36  > kill b
    2.36  a: ALARM not protected: the peer is out of step
    2.66  > boot b
    2.66  b: starting
    2.68  b: backup
    2.68  a: in step
    2.68  b: in step
    2.69  ok      in step within 10s
    2.69  ok      equal tables within 10s
    2.69  > power off b
    2.99  > boot b
    2.99  b: starting
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.00  b: backup
    3.00  a: alarm over: crossover-down
    3.01  a: in step
    3.01  b: in step
    3.01  ok      in step within 10s
    3.01  ok      equal tables within 10s
    3.01  > kill b
    3.01  a: ALARM not protected: the peer is out of step
    3.31  > boot b
    3.31  b: starting
    3.33  b: backup
    3.33  a: in step
    3.33  b: in step
    3.34  ok      in step within 10s
    3.34  ok      equal tables within 10s
    3.34  > power off b
    3.34  a: alarm over: not-protected
    3.64  > boot b
    3.64  b: starting
    3.65  b: backup
    3.65  a: in step
    3.65  b: in step
    3.66  ok      in step within 10s
    3.66  ok      equal tables within 10s
    3.66  > kill b
    3.66  a: ALARM not protected: the peer is out of step
    3.96  > boot b
    3.96  b: starting
    3.98  b: backup
    3.98  a: in step
    3.98  b: in step
    3.98  ok      in step within 10s
    3.98  ok      equal tables within 10s
    3.98  > power off b
    4.28  > boot b
    4.28  b: starting
    4.30  b: backup
    4.30  a: in step
    4.30  b: in step
    4.31  ok      in step within 10s
    4.31  ok      equal tables within 10s
    4.31  > kill b
    4.31  a: ALARM not protected: the peer is out of step
    4.61  > boot b
    4.61  b: starting
    4.63  b: backup
    4.63  a: in step
    4.63  b: in step
    4.63  ok      in step within 10s
    4.63  ok      equal tables within 10s
    4.63  > power off b
    4.93  > boot b
    4.93  b: starting
    4.95  b: backup
    4.96  a: in step
    4.96  b: in step
    4.96  ok      in step within 10s
    4.96  ok      equal tables within 10s
    4.96  > kill b
    4.96  a: ALARM not protected: the peer is out of step
    5.26  > boot b
    5.26  b: starting
    5.28  b: backup
    5.28  a: in step
    5.28  b: in step
    5.29  ok      in step within 10s
    5.29  ok      equal tables within 10s
    5.29  > power off b
    5.59  > boot b
    5.59  b: starting
    5.60  b: backup
    5.60  a: in step
    5.60  b: in step
    5.61  ok      in step within 10s
    5.61  ok      equal tables within 10s
    5.61  > kill b
    5.61  a: ALARM not protected: the peer is out of step
    5.91  > boot b
    5.91  b: starting
    5.93  b: backup
    5.93  a: in step
    5.93  b: in step
    5.94  ok      in step within 10s
    5.94  ok      equal tables within 10s
    5.94  > power off b
    6.24  > boot b
    6.24  b: starting
    6.25  b: backup
    6.25  a: in step
    6.25  b: in step
    6.26  ok      in step within 10s
    6.26  ok      equal tables within 10s
    6.26  > kill b
    6.26  a: ALARM not protected: the peer is out of step
    6.56  > boot b
    6.56  b: starting
    6.58  b: backup
    6.58  a: in step
    6.58  b: in step
    6.59  ok      in step within 10s
    6.59  ok      equal tables within 10s
    6.59  > power off b
    6.89  > boot b
    6.89  b: starting
    6.90  b: backup
    6.90  a: in step
    6.90  b: in step
    6.91  ok      in step within 10s
    6.91  ok      equal tables within 10s
    6.91  > kill b
    6.91  a: ALARM not protected: the peer is out of step
    7.21  > boot b
    7.21  b: starting
    7.23  b: backup
    7.23  a: in step
    7.23  b: in step
    7.23  ok      in step within 10s
    7.23  ok      equal tables within 10s
    7.23  > no new calls
   19.23  ok      primary a
   19.23  ok      epoch 1
