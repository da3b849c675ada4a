// Plays a GPU on the host, for tests: the threads of a block are fibers on one thread of the system, run in turn until each meets a barrier; blocks run one
// after another. What a GPU leaves undefined is an error here: threads that meet different barriers, threads that leave while others wait, writes
// beyond the shared memory asked for. Shared memory starts as NaN. The order of fibers is a parameter (forward, backward): other bits mean a race.
//
// The tensor core's and the matrix load's fragments follow the PTX ISA 8.0 ("Matrix Fragments for mma.m16n8k16", "ldmatrix"), written from
// there and not from the kernels.
#pragma once

#include "half.h"
#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <ucontext.h>
#include <vector>

struct bf16;
struct f16;

#define DEVICE inline __attribute__((unused))
#define __restrict__ __restrict

struct Index3 {
    unsigned x, y, z;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace host {

// What one lane shows the others of its warp: a number, its elements of A and B of a product, or an address.
struct Lane {
    double number;
    float a[8], b[4];
    const void *address;
};

struct Copy {
    void *to;
    const void *from; // null: zeros
    bool end_of_group;
};

struct Fiber {
    ucontext_t first;
    jmp_buf at;
    std::vector<char> stack;
    bool begun = false;
    bool done = true;
    int barrier = 0; // source line of the block barrier it waits at, or 0
    int warp_barrier = 0;
    std::vector<Copy> copies; // asked for and not yet done
};

struct Block {
    std::vector<Fiber> fibers;
    std::vector<Lane> lanes; // of fibers
    std::vector<unsigned char> shared;
    size_t shared_bytes = 0;
    int threads = 0;
    int current = 0;
    bool backward = false;
    jmp_buf scheduler;
    const std::function<void()> *body = nullptr;
};

// A thread of the host plays one block at a time; ranks are threads. Nothing here is constructed when a thread first looks: looking costs no call.
extern __constinit thread_local Block *block;
extern __constinit thread_local Index3 grid_index, grid_size, block_size;

Block *block_of_this_thread();

[[noreturn]] inline void fail(const char *what, int one, int other) {
    fprintf(stderr, "kernel error: %s (%d, %d) in block %u,%u,%u\n", what, one, other, grid_index.x, grid_index.y, grid_index.z);
    abort();
}

inline void yield() {
    Fiber &fiber = block->fibers[block->current];
    if (_setjmp(fiber.at) == 0) {
        _longjmp(block->scheduler, 1);
    }
}

inline void wait_for_block(int line) {
    block->fibers[block->current].barrier = line;
    yield();
}

inline void wait_for_warp(int line) {
    block->fibers[block->current].warp_barrier = line;
    yield();
}

inline void run_fibers_for_ever() {
    for (;;) {
        (*block->body)();
        block->fibers[block->current].done = true;
        yield();
    }
}

inline void resume(int i) {
    block->current = i;
    Fiber &fiber = block->fibers[i];
    if (_setjmp(block->scheduler) == 0) {
        if (fiber.begun) {
            _longjmp(fiber.at, 1);
        }
        fiber.begun = true;
        fiber.stack.resize(256 << 10);
        getcontext(&fiber.first);
        fiber.first.uc_stack.ss_sp = fiber.stack.data();
        fiber.first.uc_stack.ss_size = fiber.stack.size();
        fiber.first.uc_link = nullptr;
        makecontext(&fiber.first, run_fibers_for_ever, 0);
        setcontext(&fiber.first);
    }
}

// Frees the warps, then the block, whose threads all wait; every one of them at the same barrier.
inline void release() {
    bool freed = false;
    for (int from = 0; from < block->threads; from += 32) {
        int to = std::min(from + 32, block->threads), waiting = 0;
        for (int i = from; i < to; i++) {
            waiting += block->fibers[i].warp_barrier != 0;
        }
        if (waiting == 0) {
            continue;
        }
        for (int i = from; i < to; i++) {
            if (block->fibers[i].warp_barrier != block->fibers[from].warp_barrier) {
                fail("lanes of a warp at different lines", block->fibers[i].warp_barrier, block->fibers[from].warp_barrier);
            }
        }
        for (int i = from; i < to; i++) {
            block->fibers[i].warp_barrier = 0;
        }
        freed = true;
    }
    if (freed) {
        return;
    }
    for (int i = 0; i < block->threads; i++) {
        if (block->fibers[i].barrier != block->fibers[0].barrier) {
            fail("threads of a block at different barriers", block->fibers[i].barrier, block->fibers[0].barrier);
        }
    }
    for (int i = 0; i < block->threads; i++) {
        block->fibers[i].barrier = 0;
    }
}

inline void run_block() {
    for (int i = 0; i < block->threads; i++) {
        block->fibers[i].done = false;
        block->fibers[i].barrier = block->fibers[i].warp_barrier = 0;
        block->fibers[i].copies.clear();
    }
    memset(block->shared.data(), 0xff, block->shared.size());
    for (int left = block->threads;;) {
        for (int j = 0; j < block->threads; j++) {
            int i = block->backward ? block->threads - 1 - j : j;
            Fiber &fiber = block->fibers[i];
            if (!fiber.done && !fiber.barrier && !fiber.warp_barrier) {
                resume(i);
                left -= block->fibers[i].done;
            }
        }
        if (left == 0) {
            break;
        }
        release();
    }
    for (size_t i = block->shared_bytes; i < block->shared.size(); i++) {
        if (block->shared[i] != 0xff) {
            fail("write beyond shared memory, at byte and of", (int)i, (int)block->shared_bytes);
        }
    }
}

// What the test hands over: six sizes, the bytes of shared memory and the order of threads.
struct Launch {
    unsigned grid[3], threads, shared_bytes, backward;
};

inline void run(const Launch *launch, const std::function<void()> &body) {
    block = block_of_this_thread();
    if (block->fibers.size() < launch->threads) {
        block->fibers.resize(1024);
        block->lanes.resize(1024);
    }
    grid_size = {launch->grid[0], launch->grid[1], launch->grid[2]};
    block_size = {launch->threads, 1, 1};
    block->threads = (int)launch->threads;
    block->shared_bytes = launch->shared_bytes;
    block->shared.assign(launch->shared_bytes + 1024, 0xff);
    block->backward = launch->backward != 0;
    block->body = &body;
    for (grid_index.z = 0; grid_index.z < grid_size.z; grid_index.z++) {
        for (grid_index.y = 0; grid_index.y < grid_size.y; grid_index.y++) {
            for (grid_index.x = 0; grid_index.x < grid_size.x; grid_index.x++) {
                run_block();
            }
        }
    }
}

inline Index3 thread_index() { return {(unsigned)block->current, 0, 0}; }

// Every lane deposits, all wait, every lane reads, all wait before the next deposit. Returns the lanes of the warp.
inline const Lane *deposit(const Lane &mine, int line) {
    const Lane *warp = &block->lanes[block->current / 32 * 32];
    block->lanes[block->current] = mine;
    wait_for_warp(line);
    return warp;
}

inline void all_have_read(int line) { wait_for_warp(line); }

// Elements of a register, by the type that a pointer names.
inline float element_at(const f16 *, uint32_t word, int half) { return from_half((uint16_t)(half ? word >> 16 : word)); }

inline float element_at(const bf16 *, uint32_t word, int half) {
    uint32_t bits = (half ? word >> 16 : word & 0xffffu) << 16;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

} // namespace host

#define blockIdx (host::grid_index)
#define gridDim (host::grid_size)
#define blockDim (host::block_size)
#define threadIdx (host::thread_index())
#define BARRIER() host::wait_for_block(__LINE__)
#define KERNEL(name, most_threads, Arguments) \
    static void name##_thread(const Arguments &a); \
    extern "C" unsigned name##_argument_bytes() { return sizeof(Arguments); } \
    extern "C" void name(const host::Launch *launch, const void *arguments, unsigned bytes) { \
        if (bytes != 0 /* unknown */ && bytes != sizeof(Arguments)) { \
            host::fail(#name " got and takes arguments of bytes", (int)bytes, (int)sizeof(Arguments)); \
        } \
        if (launch->threads > most_threads) { \
            host::fail(#name " got and takes threads", (int)launch->threads, most_threads); \
        } \
        Arguments a; \
        memcpy(&a, arguments, sizeof(a)); \
        host::run(launch, [&] { name##_thread(a); }); \
    } \
    static void name##_thread(const Arguments &a)

using std::max;
using std::min;

static inline unsigned char *shared_memory() { return host::block->shared.data(); }

static inline float __uint_as_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static inline uint32_t __float_as_uint(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static inline void atomicMin(unsigned long long *p, unsigned long long value) { *p = std::min(*p, value); }

static inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }

static inline float cospif(float x) { return (float)std::cos(x * 3.14159265358979323846); }

static inline float sinpif(float x) { return (float)std::sin(x * 3.14159265358979323846); }

template <class X> static X host_shuffle(X x, int from_lane, int line) {
    host::Lane mine = {};
    mine.number = (double)x;
    X result = (X)host::deposit(mine, line)[from_lane].number;
    host::all_have_read(line);
    return result;
}

#define __shfl_xor_sync(mask, value, distance) host_shuffle(value, host::block->current % 32 ^ (distance), __LINE__)
#define __syncwarp() host::wait_for_warp(__LINE__)

// D(16x8) += A(16x16) B(16x8). Lane l, g = l / 4, t = l % 4: register i of A holds rows g + 8 (i odd), columns 2t, 2t+1 (+ 8 if i >= 2); of B rows 2t, 2t+1
// (+ 8 if i = 1), column g; of D row g (+ 8 if i >= 2), column 2t (+ 1 if i odd).
template <class T> static void host_mma(const T *type, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], int line) {
    host::Lane mine = {};
    for (int i = 0; i < 8; i++) {
        mine.a[i] = host::element_at(type, a[i / 2], i % 2);
    }
    for (int i = 0; i < 4; i++) {
        mine.b[i] = host::element_at(type, b[i / 2], i % 2);
    }
    int l = threadIdx.x % 32, g = l / 4, t = l % 4;
    const host::Lane *warp = host::deposit(mine, line);
    for (int i = 0; i < 4; i++) {
        int row = g + (i >= 2 ? 8 : 0), column = 2 * t + (i & 1);
        const host::Lane *of_a = warp + row % 8 * 4, *of_b = warp + column * 4;
        float sum = 0;
        for (int k = 0; k < 16; k++) {
            int half = k & 1, pair = (k % 8) / 2;
            float one = of_a[pair].a[2 * ((row >= 8 ? 1 : 0) + (k >= 8 ? 2 : 0)) + half];
            sum += one * of_b[pair].b[2 * (k >= 8 ? 1 : 0) + half];
        }
        d[i] += sum;
    }
    host::all_have_read(line);
}

// Four 8x8 matrices of 16-bit elements; lane 8 m + r names row r of matrix m. Transposed: lane l gets elements (2t, g) and (2t+1, g) of each.
static inline void host_load_transposed(uint32_t (&r)[4], const void *row, int line) {
    host::Lane mine = {};
    if ((uintptr_t)row % 16 != 0) {
        host::fail("ldmatrix row off the 16-byte boundary by", (int)((uintptr_t)row % 16), line);
    }
    mine.address = row;
    int l = threadIdx.x % 32, g = l / 4, t = l % 4;
    const host::Lane *warp = host::deposit(mine, line);
    for (int m = 0; m < 4; m++) {
        uint16_t low = ((const uint16_t *)warp[8 * m + 2 * t].address)[g];
        uint16_t high = ((const uint16_t *)warp[8 * m + 2 * t + 1].address)[g];
        r[m] = (uint32_t)low | (uint32_t)high << 16;
    }
    host::all_have_read(line);
}

// Copies into shared memory that are only there once waited for: a missing wait leaves the NaNs.
static inline void async_copy16(void *to, const void *from, bool whole) {
    if ((uintptr_t)to % 16 != 0 || (uintptr_t)from % 16 != 0) {
        host::fail("cp.async off the 16-byte boundary by", (int)((uintptr_t)to % 16), (int)((uintptr_t)from % 16));
    }
    host::block->fibers[host::block->current].copies.push_back({to, whole ? from : nullptr, false});
}

static inline void async_commit() { host::block->fibers[host::block->current].copies.push_back({nullptr, nullptr, true}); }

// Until at most `left` groups are on their way.
template <int left> static inline void async_wait() {
    auto &copies = host::block->fibers[host::block->current].copies;
    int groups = 0;
    for (auto &copy : copies) {
        groups += copy.end_of_group;
    }
    size_t done = 0;
    for (; groups > left; done++) {
        if (copies[done].end_of_group) {
            groups--;
        } else if (copies[done].from) {
            memcpy(copies[done].to, copies[done].from, 16);
        } else {
            memset(copies[done].to, 0, 16);
        }
    }
    copies.erase(copies.begin(), copies.begin() + (long)done);
}
