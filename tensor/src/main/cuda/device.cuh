// What every kernel stands on: element types, 16-byte accesses, warp and block sums, and the shape of a kernel.
//
// The same sources compile with nvcc (to the PTX beside them) and with a host compiler (src/test/cuda/host.h plays threads, barriers and
// tensor cores), so every kernel's logic is tested without a GPU. A kernel therefore
//   - is written with KERNEL(name, threads, Arguments), takes one struct `a` (64-bit members first, then 32-bit ones: no padding), and
//   - keeps all shared memory in the dynamic block, shared_memory().
// Sums have one order, given by sizes alone: no atomic adds.
#pragma once

#ifdef __CUDACC__
#define DEVICE __device__ __forceinline__
#define KERNEL(name, threads, Arguments) extern "C" __global__ void __launch_bounds__(threads) name(const Arguments a)
#define BARRIER() __syncthreads()
DEVICE unsigned char *shared_memory() {
    extern __shared__ __align__(16) unsigned char dynamic_shared[];
    return dynamic_shared;
}
#else
#include "host.h"
#endif

typedef long long int64;
typedef unsigned long long uint64;
typedef unsigned int uint32;

struct bf16 {
    unsigned short bits;
};

// IEEE binary16
struct f16 {
    unsigned short bits;
};

// ---- elements ----

DEVICE float widen(float x) { return x; }

DEVICE float widen(bf16 x) { return __uint_as_float((uint32)x.bits << 16); }

DEVICE float widen(f16 x) {
#ifdef __CUDACC__
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
#else
    return host::from_half(x.bits);
#endif
}

// Rounds to nearest, ties to even; what is too large for f16 becomes infinity.
template <class T> DEVICE T narrow(float x);

template <> DEVICE bf16 narrow<bf16>(float x) {
    bf16 y;
#ifdef __CUDACC__
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
    uint32 bits = __float_as_uint(x);
    bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    y.bits = (unsigned short)(nan ? 0x7fffu : (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
#endif
    return y;
}

template <> DEVICE f16 narrow<f16>(float x) {
    f16 y;
#ifdef __CUDACC__
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
    y.bits = host::to_half(x);
#endif
    return y;
}

DEVICE void put(float *p, float x) { *p = x; }

template <class T> DEVICE void put(T *p, float x) { *p = narrow<T>(x); }

// x as an element of p's type would hold it.
DEVICE float rounded(const float *p, float x) { return x; }

template <class T> DEVICE float rounded(const T *p, float x) { return widen(narrow<T>(x)); }

// Two values in one register, the lower index in the lower half: what tensor cores take.
template <class T> DEVICE uint32 pack(float low, float high) { return (uint32)narrow<T>(low).bits | (uint32)narrow<T>(high).bits << 16; }

// ---- eight elements at a time ----

const int EIGHT = 8;

DEVICE bool aligned16(const void *p) { return ((uint64)p & 15) == 0; }

// Whether rows that start at p, `stride` elements apart, may all be read in 16-byte pieces.
template <class T> DEVICE bool aligned_rows(const T *p, int64 stride) {
    return aligned16(p) && (stride * (int64)sizeof(T)) % 16 == 0;
}

DEVICE void load_whole(const float *p, float (&x)[EIGHT]) {
    float4 low = ((const float4 *)p)[0];
    float4 high = ((const float4 *)p)[1];
    x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
    x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
}

DEVICE void load_whole(const bf16 *p, float (&x)[EIGHT]) {
    uint4 v = *(const uint4 *)p;
    uint32 words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        x[2 * i] = __uint_as_float(words[i] << 16);
        x[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
}

DEVICE void load_whole(const f16 *p, float (&x)[EIGHT]) {
    uint4 v = *(const uint4 *)p;
    uint32 words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        x[2 * i] = widen(f16{(unsigned short)words[i]});
        x[2 * i + 1] = widen(f16{(unsigned short)(words[i] >> 16)});
    }
}

DEVICE void store_whole(float *p, const float (&x)[EIGHT]) {
    ((float4 *)p)[0] = make_float4(x[0], x[1], x[2], x[3]);
    ((float4 *)p)[1] = make_float4(x[4], x[5], x[6], x[7]);
}

template <class T> DEVICE void store_whole(T *p, const float (&x)[EIGHT]) {
    *(uint4 *)p = make_uint4(pack<T>(x[0], x[1]), pack<T>(x[2], x[3]), pack<T>(x[4], x[5]), pack<T>(x[6], x[7]));
}

// Elements p[0 .. count-1], count <= 8, the rest 0; `wide` says that p is on a 16-byte boundary.
template <class T> DEVICE void load8(const T *p, int64 count, bool wide, float (&x)[EIGHT]) {
    if (wide && count >= EIGHT) {
        load_whole(p, x);
        return;
    }
#pragma unroll
    for (int i = 0; i < EIGHT; i++) {
        x[i] = i < count ? widen(p[i]) : 0.0f;
    }
}

template <class T> DEVICE void store8(T *p, int64 count, bool wide, const float (&x)[EIGHT]) {
    if (wide && count >= EIGHT) {
        store_whole(p, x);
        return;
    }
#pragma unroll
    for (int i = 0; i < EIGHT; i++) {
        if (i < count) {
            put(p + i, x[i]);
        }
    }
}

// ---- threads ----

const int WARP = 32;
const uint32 ALL_LANES = 0xffffffffu;

DEVICE int64 global_thread() { return (int64)blockIdx.x * blockDim.x + threadIdx.x; }

DEVICE int lane() { return threadIdx.x % WARP; }

DEVICE int warp() { return threadIdx.x / WARP; }

// Sums of a warp, the same in every lane: a fixed tree.
DEVICE float warp_sum(float x) {
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(ALL_LANES, x, distance);
    }
    return x;
}

DEVICE double warp_sum(double x) {
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(ALL_LANES, x, distance);
    }
    return x;
}

DEVICE float warp_max(float x) {
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, distance));
    }
    return x;
}

// An index out of its range is a user's error that only the device sees: the first row of all is kept for the host to report, unless there is no
// `error` and such rows are expected. The word is all ones, or (row << 32 | index).
DEVICE bool in_range(int64 index, int64 limit, int64 row, uint64 *error) {
    if (index >= 0 && index < limit) {
        return true;
    }
    if (error) {
        atomicMin(error, (uint64)row << 32 | (uint32)index);
    }
    return false;
}
