"""Sizes that depend on the processor, each with the loop and the buffer that it sets.

| name                      | what                                         | sets                                            |
| ------------------------- | -------------------------------------------- | ----------------------------------------------- |
| VECTOR_BYTES              | width of a vector register                   | lanes of every vector                           |
| LINE_BYTES                | of a cache line                              | where memory begins that vectors are stored to: |
|                           |                                              | one that crosses lines costs two accesses       |
| MR                        | rows of a register tile                      | micro-kernel; width of a packed panel of A      |
| NV                        | vectors in a row of it (NR = NV * lanes)     | micro-kernel; width of a packed panel of B      |
| INNER_ROWS, INNER_COLUMNS | elements of an inner-product tile            | micro-kernel on operands along the depth        |
| FUSED                     | whether multiply-adds are fused              | how the micro-kernel divides                    |
| SQUARE                    | side of a square transposed in registers     | packing; what it leaves of a panel's width goes |
|                           |                                              | number by number                                |
| KC                        | depth of a block (loop 4) in float64; twice  | a panel of B, KC x NR, is two to four times L1: |
|                           | as much in float32                           | half of it cost 5 to 10 %, since C is read and  |
|                           |                                              | written once a block                            |
| FETCHED_AHEAD             | rows of B that are fetched before the one in | lines that a load crosses miss L1 one after the |
|                           | use, where a block is deeper                 | other: 20 x 209 x 12288 took 4.8 ms, so 2.6 to  |
|                           |                                              | 3.0 on a Zen 4; 32 and 128 are as quick; in     |
|                           |                                              | shallow blocks it cost up to 5 %                |
| BLOCK_A_BYTES             | MC x KC of a packed block of A (loop 3)      | half of L2                                      |
| BLOCK_B_BYTES             | KC x NC of a packed block of B (loop 5)      | a core's share of L3                            |
| MEMBER_BYTES              | scratch memory a member of a team, kept      | any blocks of a product, and a strip or two;    |
|                           | between calls                                | more is allocated for a call and freed          |
| STREAM_BYTES              | a result that is written past the caches     | a quarter of L3 or so: it would drive out more  |
|                           |                                              | than anybody reads of it soon                   |
| STRIP_BYTES               | columns of a layer taken at a time           | what one step writes is in L2 for the next one  |
| SHALLOW                   | depth up to which an inner product of few    | how a product is done                           |
|                           | columns does not pay                         |                                                 |
| FAR_BYTES                 | between columns of A that share L1 and L2    | whether A is packed                             |
|                           | sets: a page                                 |                                                 |
| FAR_DEPTH                 | columns of A, a page apart, that L2 keeps    | likewise: 1000 x 60, 64 deep: 0.85 as it lies;  |
|                           |                                              | 1000 x 192, 300 deep: 1.3                       |
| HALF_PAGE                 | rows of B so many bytes apart share L1 sets  | whether B is packed, by READ_OFTEN_FAR          |
| READ_OFTEN,               | rows of A from which B, larger than L2, is   | whether B is packed; every MR rows read it once |
| READ_OFTEN_FAR            | read so often that packing pays              |                                                 |
| TURNED_ROWS,              | most rows and fewest columns of a C that is  | where B lies along the depth                    |
| TURNED_COLUMNS            | computed as its transpose                    |                                                 |
| THIN_DEPTH                | depth of a block for a single row            | B is read in long pieces, C stays in L1         |
| STREAMS                   | likewise, where B is larger than L2: as many | [1024, 1], m = 10,000: 7.2 to 3.6 ms on a Zen 4 |
|                           | rows as a processor prefetches side by side  |                                                 |
| STRIPS                    | least strips of a wide Gram matrix           | how often X is read again, and how much is      |
|                           |                                              | computed below the diagonal; 16 were as quick   |
| CHUNKS                    | most chunks that a sum over examples is      | partial sums of dW; their number must not       |
|                           | cut into                                     | depend on the team                              |
| BLOCK_BYTES               | a block of examples of a narrow net          | activations and gradients stay in L1/L2         |
| BLOCK_COLUMNS             | examples of a block of a wide net            | long enough for cheap packing                   |
| BLOCK_OPERATIONS          | multiply-adds of a product of such a block   | memory of the blocks of very wide nets          |
| SHARED_COLUMNS            | fewest examples of a chunk where half of     | the team shares examples, not each product:     |
|                           | all, or more, fit L2                         | [20, 100, 1], m = 200, two threads: 50 to 31 us |
|                           |                                              | (one thread: 52 to 56 us)                       |
| ENOUGH_COLUMNS            | likewise, where fewer fit                    | [64, 64, 64, 1], m = 4096: 2.6 to 1.8 ms; blocks|
|                           |                                              | of 100 of 784 numbers cost one thread a tenth   |
| ENOUGH_CHUNKS             | fewest chunks with room for their sums, if   | more threads than that share products instead   |
|                           | there are examples for more                  |                                                 |
| PIECE_OPERATIONS          | multiply-adds of a piece of a training's     | between two looks at the stop flag: 0.03 s on   |
|                           | product                                      | one core                                        |
| WAKE_OPERATIONS           | multiply-adds from which a call borrows the  | more than it costs to wake a helper             |
|                           | team                                         |                                                 |
| SHARED_OPERATIONS         | multiply-adds from which a product, or an    | more than it costs to have helpers join that    |
|                           | iteration, is shared by the team             | look for work already                           |
| AHEAD_BYTES               | how far ahead examples are fetched as those  | 200 of 784 numbers: 128 to 84 us                |
|                           | before them are gathered                     |                                                 |
| SHARED_PARAMETERS         | fewest parameters whose step is shared: each | [20, 100, 1], m = 200, two threads: 35 to 33 us |
|                           | thread has its part in its cache             |                                                 |
| SHARED_ELEMENTS           | elements of a chunk of an elementwise loop   | likewise                                        |
"""

from pathlib import Path

import llvmlite.binding as llvm
import numba

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def _features() -> set[str]:
    """The target features that Numba compiles for: its overrides when set, else the host's."""
    if numba.config.CPU_FEATURES is not None:
        return set(str(numba.config.CPU_FEATURES).split(","))
    if numba.config.CPU_NAME == "generic":
        return set()
    return set(llvm.get_host_cpu_features().flatten().split(","))


def _architecture() -> str:
    return str(llvm.get_process_triple()).split("-")[0]


def _tiles(features: set[str], architecture: str) -> tuple[int, int, int, int, int]:
    """VECTOR_BYTES, MR, NV, INNER_ROWS, INNER_COLUMNS: accumulators and operands of a step fit the registers."""
    if "+avx512f" in features:
        return 64, 8, 3, 4, 6  # 24 + 3 + 1 and 24 + 4 + 1 of 32 registers
    if "+avx2" in features:
        return 32, 4, 3, 4, 2  # 12 + 3 + 1 and 8 + 4 + 1 of 16
    if architecture in ("aarch64", "arm64"):
        return 16, 8, 3, 4, 6  # as with 512 bits
    return 16, 4, 2, 4, 2  # 8 + 2 + 1 + a product (no fused multiply-add) of 16


def _said(level: str, fact: str, caches: Path) -> str | None:
    """What the system says of a data cache of one core; None where it says nothing, as other systems than Linux."""
    for cache in sorted(caches.glob("index*")):
        try:
            found_level, kind, value = ((cache / name).read_text().strip() for name in ("level", "type", fact))
        except (OSError, ValueError):
            continue
        if found_level == level and kind != "Instruction":
            return value
    return None


def _cache_bytes(level: str, usual: int, caches: Path = _CACHES) -> int:
    """Size of a data cache of one core, or what is usual where the system doesn't say."""
    size = (_said(level, "size", caches) or "").removesuffix("K")
    return int(size) * 1024 if size.isdecimal() and int(size) > 0 else usual


def _line_bytes(architecture: str, caches: Path = _CACHES) -> int:
    """Size of a cache line, or what is usual where the system doesn't say."""
    size = _said("1", "coherency_line_size", caches)
    return int(size) if size in ("64", "128", "256") else 128 if architecture == "arm64" else 64  # arm64: Apple's own name


def _registers(features: set[str], architecture: str) -> str | None:
    """The letter that stands for a vector register in LLVM's constraints of inline assembly; None where it is not known."""
    if architecture in ("x86_64", "amd64"):
        return "v" if "+avx512f" in features else "x"
    return "w" if architecture in ("aarch64", "arm64") else None


VECTOR_BYTES, MR, NV, INNER_ROWS, INNER_COLUMNS = _tiles(_features(), _architecture())
REGISTERS = _registers(_features(), _architecture())
FUSED = "+fma" in _features() or _architecture() in ("aarch64", "arm64")
SQUARE = 8 if VECTOR_BYTES == 64 else 4
LINE_BYTES = _line_bytes(_architecture())
L1_BYTES = _cache_bytes("1", 32 * 1024)
L2_BYTES = _cache_bytes("2", 512 * 1024)
KC = max(64, 2 * L1_BYTES // (NV * VECTOR_BYTES) // 32 * 32)
BLOCK_A_BYTES = L2_BYTES // 2
BLOCK_B_BYTES = 6 * 2**20
SHALLOW = 8
FAR_BYTES = 4096
FAR_DEPTH = L2_BYTES // (2 * FAR_BYTES)
HALF_PAGE = 2048
READ_OFTEN = 128 * MR
READ_OFTEN_FAR = 64 * MR
TURNED_ROWS = 16 * MR
TURNED_COLUMNS = 32 * MR
THIN_DEPTH = 64
FETCHED_AHEAD = 64
STREAMS = 16
STREAM_BYTES = 8 * 2**20
MEMBER_BYTES = 2 * (BLOCK_A_BYTES + BLOCK_B_BYTES)
STRIP_BYTES = L2_BYTES // 4
BLOCK_COLUMNS = 960
SHARED_COLUMNS = 80
ENOUGH_COLUMNS = 160
ENOUGH_CHUNKS = 8
BLOCK_OPERATIONS = 4 * 10**9
PIECE_OPERATIONS = 5 * 10**8 * VECTOR_BYTES // 16
WAKE_OPERATIONS = 500_000
SHARED_OPERATIONS = 64_000
SHARED_ELEMENTS = 16_384
SHARED_PARAMETERS = 2_048
AHEAD_BYTES = 8192
CHUNKS = 16
STRIPS = 32
BLOCK_BYTES = 4 * L1_BYTES
