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
    0.09  a: announces the VIP
    0.09  a: primary of epoch 1: cold-start
    0.09  a: primary, epoch 1
    0.09  b: backup
    0.24  a: in step
    0.24  b: in step
    0.24  a: speaks
    0.74  > calls all the time
    0.74  > crossover loses 10 % and delays up to 50ms
    0.80  a: ALARM acknowledgements are late: going on alone
    0.80  a: ALARM not protected: the peer is out of step
    0.84  a: in step
    0.87  b: in step
    1.44  a: ALARM acknowledgements are late: going on alone
    1.44  a: ALARM not protected: the peer is out of step
    1.47  a: in step
    1.49  a: ALARM acknowledgements are late: going on alone
    1.49  a: ALARM not protected: the peer is out of step
    1.67  b: in step
    1.86  a: in step
    1.87  b: in step
    1.92  a: ALARM acknowledgements are late: going on alone
    1.92  a: ALARM not protected: the peer is out of step
    1.93  a: in step
    1.97  b: in step
    1.98  a: ALARM acknowledgements are late: going on alone
    1.98  a: ALARM not protected: the peer is out of step
    2.02  a: in step
    2.04  b: in step
    2.08  a: ALARM acknowledgements are late: going on alone
    2.08  a: ALARM not protected: the peer is out of step
    2.71  a: in step
    2.71  b: in step
    2.90  a: ALARM acknowledgements are late: going on alone
    2.90  a: ALARM not protected: the peer is out of step
    2.90  a: in step
    2.91  b: in step
    3.28  a: ALARM acknowledgements are late: going on alone
    3.28  a: ALARM not protected: the peer is out of step
    3.30  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    3.61  a: in step
    3.63  a: alarm over: not-protected
    3.66  b: in step
    3.80  a: ALARM acknowledgements are late: going on alone
    3.80  a: ALARM not protected: the peer is out of step
    3.80  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    4.01  a: in step
    4.01  b: in step
    4.03  a: alarm over: not-protected
    4.14  a: ALARM acknowledgements are late: going on alone
    4.14  a: ALARM not protected: the peer is out of step
    4.15  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    4.16  a: in step
    4.18  a: alarm over: not-protected
    4.20  b: in step
    4.30  a: ALARM acknowledgements are late: going on alone
    4.30  a: ALARM not protected: the peer is out of step
    4.30  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    4.69  a: in step
    4.70  b: in step
    4.70  a: alarm over: not-protected
    4.89  a: ALARM acknowledgements are late: going on alone
    4.89  a: ALARM not protected: the peer is out of step
    4.90  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    4.99  a: in step
    5.00  a: alarm over: not-protected
    5.04  b: in step
    5.04  a: ALARM acknowledgements are late: going on alone
    5.04  a: ALARM not protected: the peer is out of step
    5.05  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    5.07  a: in step
    5.08  a: alarm over: not-protected
    5.11  b: in step
    5.20  a: ALARM acknowledgements are late: going on alone
    5.20  a: ALARM not protected: the peer is out of step
    5.20  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    5.32  a: in step
    5.32  b: in step
    5.32  a: alarm over: not-protected
    5.73  a: ALARM acknowledgements are late: going on alone
    5.73  a: ALARM not protected: the peer is out of step
    5.75  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    5.97  a: in step
    5.98  a: alarm over: not-protected
    6.01  b: in step
    6.22  a: ALARM acknowledgements are late: going on alone
    6.22  a: ALARM not protected: the peer is out of step
    6.23  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    6.23  a: in step
    6.23  a: alarm over: not-protected
    6.24  b: in step
    6.31  a: ALARM acknowledgements are late: going on alone
    6.31  a: ALARM not protected: the peer is out of step
    6.33  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    6.36  a: in step
    6.36  a: alarm over: not-protected
    6.39  b: in step
    6.51  a: ALARM acknowledgements are late: going on alone
    6.51  a: ALARM not protected: the peer is out of step
    6.53  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    6.83  a: in step
    6.83  a: alarm over: not-protected
    6.95  b: in step
    7.16  a: ALARM acknowledgements are late: going on alone
    7.16  a: ALARM not protected: the peer is out of step
    7.16  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    7.18  a: in step
    7.20  a: alarm over: not-protected
    7.21  b: in step
    7.29  a: ALARM acknowledgements are late: going on alone
    7.29  a: ALARM not protected: the peer is out of step
    7.30  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    7.48  a: in step
    7.48  a: alarm over: not-protected
    7.50  b: in step
    7.61  a: ALARM acknowledgements are late: going on alone
    7.61  a: ALARM not protected: the peer is out of step
    7.61  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    7.80  a: in step
    7.81  a: alarm over: not-protected
    7.85  b: in step
    7.90  a: ALARM acknowledgements are late: going on alone
    7.90  a: ALARM not protected: the peer is out of step
    7.90  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    8.00  a: in step
    8.00  a: alarm over: not-protected
    8.05  b: in step
    8.20  a: ALARM acknowledgements are late: going on alone
    8.20  a: ALARM not protected: the peer is out of step
    8.21  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    8.39  a: in step
    8.40  a: alarm over: not-protected
    8.43  b: in step
    8.54  a: ALARM acknowledgements are late: going on alone
    8.54  a: ALARM not protected: the peer is out of step
    8.55  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    8.70  a: in step
    8.70  a: alarm over: not-protected
    8.79  b: in step
    8.87  a: ALARM acknowledgements are late: going on alone
    8.87  a: ALARM not protected: the peer is out of step
    8.88  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    9.12  a: in step
    9.12  a: alarm over: not-protected
    9.21  b: in step
    9.23  a: ALARM acknowledgements are late: going on alone
    9.23  a: ALARM not protected: the peer is out of step
    9.23  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    9.26  a: in step
    9.28  a: alarm over: not-protected
    9.28  b: in step
    9.44  a: ALARM acknowledgements are late: going on alone
    9.44  a: ALARM not protected: the peer is out of step
    9.45  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    9.47  a: in step
    9.47  a: alarm over: not-protected
    9.48  b: in step
    9.65  a: ALARM acknowledgements are late: going on alone
    9.65  a: ALARM not protected: the peer is out of step
    9.65  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
    9.65  a: in step
    9.66  a: alarm over: not-protected
    9.70  b: in step
   10.17  a: ALARM acknowledgements are late: going on alone
   10.17  a: ALARM not protected: the peer is out of step
   10.18  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   10.42  a: in step
   10.43  a: alarm over: not-protected
   10.45  b: in step
   10.72  a: ALARM acknowledgements are late: going on alone
   10.72  a: ALARM not protected: the peer is out of step
   10.73  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   10.76  a: in step
   10.76  b: in step
   10.76  a: alarm over: not-protected
   10.81  a: ALARM acknowledgements are late: going on alone
   10.81  a: ALARM not protected: the peer is out of step
   10.82  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   10.82  a: in step
   10.83  a: alarm over: not-protected
   10.88  b: in step
   10.89  a: ALARM acknowledgements are late: going on alone
   10.89  a: ALARM not protected: the peer is out of step
   10.90  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   11.08  a: in step
   11.08  a: alarm over: not-protected
   11.22  b: in step
   11.28  a: ALARM acknowledgements are late: going on alone
   11.28  a: ALARM not protected: the peer is out of step
   11.28  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   11.31  a: in step
   11.33  a: alarm over: not-protected
   11.35  b: in step
   11.62  a: ALARM acknowledgements are late: going on alone
   11.62  a: ALARM not protected: the peer is out of step
   11.63  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   11.70  a: in step
   11.70  a: alarm over: not-protected
   11.75  b: in step
   12.43  a: ALARM acknowledgements are late: going on alone
   12.43  a: ALARM not protected: the peer is out of step
   12.45  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   12.53  a: in step
   12.54  a: alarm over: not-protected
   12.64  b: in step
   13.14  a: ALARM acknowledgements are late: going on alone
   13.14  a: ALARM not protected: the peer is out of step
   13.15  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   13.31  a: in step
   13.32  a: alarm over: not-protected
   13.35  b: in step
   13.54  a: ALARM acknowledgements are late: going on alone
   13.54  a: ALARM not protected: the peer is out of step
   13.54  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   13.64  a: in step
   13.65  a: alarm over: not-protected
   13.70  b: in step
   13.86  a: ALARM acknowledgements are late: going on alone
   13.86  a: ALARM not protected: the peer is out of step
   13.87  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   14.03  a: in step
   14.04  a: alarm over: not-protected
   14.06  b: in step
   14.65  a: ALARM acknowledgements are late: going on alone
   14.65  a: ALARM not protected: the peer is out of step
   14.65  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   14.66  a: in step
   14.66  a: alarm over: not-protected
   14.70  b: in step
   14.75  a: ALARM acknowledgements are late: going on alone
   14.75  a: ALARM not protected: the peer is out of step
   14.76  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   15.07  a: in step
   15.08  a: alarm over: not-protected
   15.12  b: in step
   15.31  a: ALARM acknowledgements are late: going on alone
   15.31  a: ALARM not protected: the peer is out of step
   15.31  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   15.48  a: in step
   15.49  a: alarm over: not-protected
   15.51  b: in step
   15.78  a: ALARM acknowledgements are late: going on alone
   15.78  a: ALARM not protected: the peer is out of step
   15.78  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   15.79  a: in step
   15.80  a: alarm over: not-protected
   15.84  a: ALARM acknowledgements are late: going on alone
   15.84  a: ALARM not protected: the peer is out of step
   15.85  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   15.92  b: in step
   15.98  a: in step
   15.99  b: in step
   16.00  a: alarm over: not-protected
   16.29  a: ALARM acknowledgements are late: going on alone
   16.29  a: ALARM not protected: the peer is out of step
   16.30  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   16.34  a: in step
   16.35  a: alarm over: not-protected
   16.38  b: in step
   16.38  a: ALARM acknowledgements are late: going on alone
   16.38  a: ALARM not protected: the peer is out of step
   16.38  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   16.39  a: in step
   16.40  a: alarm over: not-protected
   16.44  a: ALARM acknowledgements are late: going on alone
   16.44  a: ALARM not protected: the peer is out of step
   16.44  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   16.63  b: in step
   16.65  a: in step
   16.65  b: in step
   16.65  a: alarm over: not-protected
   16.70  a: ALARM acknowledgements are late: going on alone
   16.70  a: ALARM not protected: the peer is out of step
   16.70  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   16.75  a: in step
   16.75  a: alarm over: not-protected
   16.79  b: in step
   16.80  a: ALARM acknowledgements are late: going on alone
   16.80  a: ALARM not protected: the peer is out of step
   16.80  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   16.81  a: in step
   16.82  a: alarm over: not-protected
   16.82  b: in step
   17.69  a: ALARM acknowledgements are late: going on alone
   17.69  a: ALARM not protected: the peer is out of step
   17.69  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   17.74  a: in step
   17.75  a: alarm over: not-protected
   17.76  b: in step
   17.81  a: ALARM acknowledgements are late: going on alone
   17.81  a: ALARM not protected: the peer is out of step
   17.83  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   17.90  a: in step
   17.91  a: alarm over: not-protected
   17.91  b: in step
   18.17  a: ALARM acknowledgements are late: going on alone
   18.17  a: ALARM not protected: the peer is out of step
   18.18  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   18.52  a: in step
   18.53  a: alarm over: not-protected
   18.53  b: in step
   19.14  a: ALARM acknowledgements are late: going on alone
   19.14  a: ALARM not protected: the peer is out of step
   19.14  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   19.18  a: in step
   19.18  a: alarm over: not-protected
   19.22  b: in step
   19.23  a: ALARM acknowledgements are late: going on alone
   19.23  a: ALARM not protected: the peer is out of step
   19.23  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   19.35  a: in step
   19.36  a: alarm over: not-protected
   19.37  b: in step
   19.62  a: ALARM acknowledgements are late: going on alone
   19.62  a: ALARM not protected: the peer is out of step
   19.62  a: in step
   19.66  b: in step
   19.68  a: ALARM acknowledgements are late: going on alone
   19.68  a: ALARM not protected: the peer is out of step
   19.68  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   19.87  a: in step
   19.88  a: alarm over: not-protected
   19.88  b: in step
   20.35  a: ALARM acknowledgements are late: going on alone
   20.35  a: ALARM not protected: the peer is out of step
   20.36  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   20.38  a: in step
   20.39  a: alarm over: not-protected
   20.40  b: in step
   20.65  a: ALARM acknowledgements are late: going on alone
   20.65  a: ALARM not protected: the peer is out of step
   20.65  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   20.68  a: in step
   20.68  a: alarm over: not-protected
   20.72  b: in step
   20.73  a: ALARM acknowledgements are late: going on alone
   20.73  a: ALARM not protected: the peer is out of step
   20.73  a: ALARM not-protected: no backup is in step: calls go on, on this box alone
   20.73  a: in step
   20.74  ok      primary a
   20.74  ok      epoch 1
   20.74  > crossover loses 0 % and delays up to 1ms
   20.74  ok      in step within 5s
   20.74  > no new calls
   20.74  a: alarm over: not-protected
   20.74  b: in step
   32.74  ok      equal tables within 30s
