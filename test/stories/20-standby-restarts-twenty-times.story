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
    0.26  a: in step
    0.26  b: in step
    0.26  a: speaks
    0.76  > calls all the time
    0.76  > power off b
    0.82  a: ALARM acknowledgements are late: going on alone
    0.82  a: ALARM not protected: the peer is out of step
    1.06  > boot b
    1.06  b: starting
    1.08  b: backup
    1.08  a: in step
    1.08  b: in step
    1.09  ok      in step within 10s
    1.09  ok      equal tables within 10s
    1.09  > kill b
    1.09  a: ALARM not protected: the peer is out of step
    1.39  > boot b
    1.39  b: starting
    1.40  b: backup
    1.41  a: in step
    1.41  b: in step
    1.41  ok      in step within 10s
    1.41  ok      equal tables within 10s
    1.41  > power off b
    1.71  > boot b
    1.71  b: starting
    1.73  b: backup
    1.73  a: in step
    1.73  b: in step
    1.74  ok      in step within 10s
    1.74  ok      equal tables within 10s
    1.74  > kill b
    1.74  a: ALARM not protected: the peer is out of step
    2.04  > boot b
    2.04  b: starting
    2.05  b: backup
    2.06  a: in step
    2.06  b: in step
    2.06  ok      in step within 10s
    2.06  ok      equal tables within 10s
    2.06  > power off b
    2.36  > boot b
    2.36  b: starting
    2.38  b: backup
    2.38  a: in step
    2.38  b: in step
    2.39  ok      in step within 10s
    2.39  ok      equal tables within 10s
    2.39  > kill b
    2.39  a: ALARM not protected: the peer is out of step
    2.69  > boot b
    2.69  b: starting
    2.70  b: backup
    2.71  a: in step
    2.71  b: in step
    2.71  ok      in step within 10s
    2.71  ok      equal tables within 10s
    2.71  > power off b
    3.00  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.00  a: ALARM crossover-down: the other box is not heard over the crossover
    3.01  > boot b
    3.01  b: starting
    3.03  b: backup
    3.03  a: alarm over: crossover-down
    3.03  a: in step
    3.03  b: in step
    3.04  ok      in step within 10s
    3.04  ok      equal tables within 10s
    3.04  > kill b
    3.04  a: ALARM not protected: the peer is out of step
    3.34  > boot b
    3.34  b: starting
    3.35  b: backup
    3.36  a: in step
    3.36  b: in step
    3.36  ok      in step within 10s
    3.36  ok      equal tables within 10s
    3.36  > power off b
    3.36  a: alarm over: not-protected
    3.66  > boot b
    3.66  b: starting
    3.68  b: backup
    3.68  a: in step
    3.68  b: in step
    3.69  ok      in step within 10s
    3.69  ok      equal tables within 10s
    3.69  > kill b
    3.69  a: ALARM not protected: the peer is out of step
    3.99  > boot b
    3.99  b: starting
    4.00  b: backup
    4.01  a: in step
    4.01  b: in step
    4.01  ok      in step within 10s
    4.01  ok      equal tables within 10s
    4.01  > power off b
    4.31  > boot b
    4.31  b: starting
    4.33  b: backup
    4.33  a: in step
    4.33  b: in step
    4.34  ok      in step within 10s
    4.34  ok      equal tables within 10s
    4.34  > kill b
    4.34  a: ALARM not protected: the peer is out of step
    4.64  > boot b
    4.64  b: starting
    4.65  b: backup
    4.66  a: in step
    4.66  b: in step
    4.66  ok      in step within 10s
    4.66  ok      equal tables within 10s
    4.66  > power off b
    4.96  > boot b
    4.96  b: starting
    4.98  b: backup
    4.98  a: in step
    4.98  b: in step
    4.99  ok      in step within 10s
    4.99  ok      equal tables within 10s
    4.99  > kill b
    4.99  a: ALARM not protected: the peer is out of step
    5.29  > boot b
    5.29  b: starting
    5.30  b: backup
    5.31  a: in step
    5.31  b: in step
    5.31  ok      in step within 10s
    5.31  ok      equal tables within 10s
    5.31  > power off b
    5.61  > boot b
    5.61  b: starting
    5.63  b: backup
    5.63  a: in step
    5.63  b: in step
    5.64  ok      in step within 10s
    5.64  ok      equal tables within 10s
    5.64  > kill b
    5.64  a: ALARM not protected: the peer is out of step
    5.94  > boot b
    5.94  b: starting
    5.95  b: backup
    5.96  a: in step
    5.96  b: in step
    5.96  ok      in step within 10s
    5.96  ok      equal tables within 10s
    5.96  > power off b
    6.26  > boot b
    6.26  b: starting
    6.28  b: backup
    6.28  a: in step
    6.28  b: in step
    6.29  ok      in step within 10s
    6.29  ok      equal tables within 10s
    6.29  > kill b
    6.29  a: ALARM not protected: the peer is out of step
    6.59  > boot b
    6.59  b: starting
    6.60  b: backup
    6.61  a: in step
    6.61  b: in step
    6.61  ok      in step within 10s
    6.61  ok      equal tables within 10s
    6.61  > power off b
    6.91  > boot b
    6.91  b: starting
    6.93  b: backup
    6.93  a: in step
    6.93  b: in step
    6.94  ok      in step within 10s
    6.94  ok      equal tables within 10s
    6.94  > kill b
    6.94  a: ALARM not protected: the peer is out of step
    7.24  > boot b
    7.24  b: starting
    7.25  b: backup
    7.26  a: in step
    7.26  b: in step
    7.26  ok      in step within 10s
    7.26  ok      equal tables within 10s
    7.26  > no new calls
   19.26  ok      primary a
   19.26  ok      epoch 1
