"""Where what stands in a mailbox, in which a caller and its team meet.

The mailbox is an array of int64, what is written by different threads on different cache lines::

    OPEN    odd while a job can be joined; goes up by one when it opens and again when it closes
    CLAIM   the next chunk          ACTIVE   helpers inside the job
    ROUTINE and JOB, their addresses; COUNT of chunks
    MEMBERS of the team, the caller among them; 1 in the mailbox of who works alone
    OWNER   TOKEN of who has the team, 0 if nobody; TOKEN of whose mailbox it is, in the mailbox of who works alone
    HOLD    1 while a caller has the team: helpers keep looking between jobs
    SCRATCH address of memory that a call may use until it returns, SCRATCH_BYTES of it
    SINGLE  where the mailbox of one thread begins, which a chunk hands on: its work is not shared further
"""

from fastbackprop.kernels.blocking import LINE_BYTES

_LINE = LINE_BYTES // 8
OPEN, CLAIM, ACTIVE = 0, _LINE, 2 * _LINE
HOLD, OWNER = 3 * _LINE, 3 * _LINE + 1
ROUTINE, JOB, COUNT, MEMBERS, SCRATCH, SCRATCH_BYTES, TOKEN = range(4 * _LINE, 4 * _LINE + 7)
SINGLE = 5 * _LINE
MAILBOX = 2 * SINGLE  # words in all
