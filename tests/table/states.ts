The same with timestamps (RFC 7323), for what they change: as `states`, with one
column more, the segment's timestamp: old is less than TS.Recent, same as great,
new greater, none no option.  The prologues of tcp/ are run with timestamps.

segment seq     ack     ts   | CLOSED LISTEN SYN-SENT SYN-RECEIVED SIMULTANEOUS ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 CLOSE-WAIT CLOSING LAST-ACK TIME-WAIT

# RFC 7323 5.3 R1: an old timestamp makes a segment not acceptable: an ACK, dropped
data    left    nxt     old  | R  R    -    A    A    A      A      A     A      A      A      A
ack     left    nxt     old  | R  R    -    A    A    A      A      A     A      A      A      -       a
fin     left    nxt     old  | R  R    -    A    A    A      A      A     A      A      A      A
datafin left    nxt     old  | R  R    -    A    A    A      A      A     A      A      A      A
data    left    una     old  | R  R    R    A    A    A      A      A     A      A      A      A
data    left    beyond  old  | R  R    R    A    A    A      A      A     A      A      A      A

# 5.2: resets are not subject to it
rst     left    -       old  | -  -    -    ->LISTEN ->CLOSED!ECONNREFUSED ->CLOSED!ECONNRESET ->CLOSED!ECONNRESET ->CLOSED!ECONNRESET ->CLOSED!EPIPE ->CLOSED!ECONNRESET ->CLOSED!ECONNRESET -
rst     inside  -       old  | -  -    -    A    A    A      A      A     A      A      A      -
rst     left    -       none | -  -    -    ->LISTEN ->CLOSED!ECONNREFUSED ->CLOSED!ECONNRESET ->CLOSED!ECONNRESET ->CLOSED!ECONNRESET ->CLOSED!EPIPE ->CLOSED!ECONNRESET ->CLOSED!ECONNRESET -

# what is as great or greater is as without
data    left    nxt     same | R  R    -    A100>ES A100>ES A100 A100>F2 A100 -  ->TW   ->CLOSED A
data    left    nxt     new  | R  R    -    A100>ES A100>ES A100 A100>F2 A100 -  ->TW   ->CLOSED A
fin     left    nxt     new  | R  R    -    A1>CW A1>CW A1>CW A1>TW A1>TW -      ->TW   ->CLOSED A
data    old     nxt     new  | R  R    -    A    A    A      A      A     A      A      A      A

# 3.2: without the option "SHOULD silently drop"
data    left    nxt     none | R  R    -    A100>ES A100>ES A100 A100>F2 A100 -  ->TW   ->CLOSED A     b
ack     left    nxt     none | R  R    -    ->ES ->ES -      ->F2   -     -      ->TW   ->CLOSED -     b

# RFC 6191 2: in TIME-WAIT the timestamp of a SYN decides before its number
syn     old     -       new  | RA S>SR S>SR A    A    A      A      A     A      A      A      S>SR
syn     left    -       new  | RA S>SR S>SR A    A    A      A      A     A      A      A      S>SR
syn     inside  -       new  | RA S>SR S>SR A    A    A      A      A     A      A      A      S>SR
syn     old     -       same | RA S>SR S>SR A    A    A      A      A     A      A      A      A
syn     inside  -       same | RA S>SR S>SR A    A    A      A      A     A      A      A      S>SR
syn     old     -       old  | RA S>SR S>SR A    A    A      A      A     A      A      A      A
syn     inside  -       old  | RA S>SR S>SR A    A    A      A      A     A      A      A      A
syn     edge    -       old  | RA S>SR S>SR A    A    A      A      A     A      A      A      A
syn     old     -       none | RA S>SR S>SR A    A    A      A      A     A      A      A      A
syn     inside  -       none | RA S>SR S>SR A    A    A      A      A     A      A      A      S>SR

a  `states`, note g.
b  It is taken, as Linux does: middleboxes drop options, and a sender that lost
   its own must not be cut off.
