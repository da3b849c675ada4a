// Products of bf16 or f16 tiles in shared memory on the tensor cores, f32 sums: mma.sync m16n8k16 and the index arithmetic around it.
//
// A warp owns 16 rows. With g = lane / 4 and t = lane % 4, a lane holds of each 16 x 8 block of the result the elements
//   c[0], c[1]: row g,     columns 2t, 2t + 1
//   c[2], c[3]: row g + 8, columns 2t, 2t + 1
#pragma once
#include "device.cuh"

#ifdef __CUDACC__

// Of the type of the first argument, which is otherwise unused.
DEVICE void mma(bf16, float (&c)[4], const uint32 (&a)[4], const uint32 (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

DEVICE void mma(f16, float (&c)[4], const uint32 (&a)[4], const uint32 (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four 8 x 8 matrices, transposed; lane 8 m + r names row r of matrix m.
DEVICE void load_transposed(uint32 (&r)[4], const void *row) {
    uint32 address = (uint32)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
}

// 16 bytes to shared memory without waiting; zeros if not `whole`.
DEVICE void async_copy16(void *to, const void *from, bool whole) {
    uint32 address = (uint32)__cvta_generic_to_shared(to);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(whole ? 16 : 0) : "memory");
}

DEVICE void async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Until at most `left` groups of copies are on their way.
template <int left> DEVICE void async_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory"); }

#else
#define mma(type, c, a, b) host_mma((decltype(type) *)nullptr, c, a, b, __LINE__)
#define load_transposed(r, row) host_load_transposed(r, row, __LINE__)
#endif

DEVICE int fragment_row() { return lane() / 4; }

DEVICE int fragment_column() { return lane() % 4 * 2; }

// Rows of SIZE elements, SIZE + 8 apart: 16-byte aligned, and eight rows fall into different banks.
template <class T, int SIZE> struct Tile {
    static const int STRIDE = SIZE + 8;
    static const int BLOCKS = SIZE / 8;

    // Begins to bring rows from, from+1, .. of a sequence; zeros past its end.
    template <int ROWS, int THREADS> DEVICE static void fetch(T *tile, const T *rows, int64 stride, int from, int sequence) {
        for (int i = threadIdx.x; i < ROWS * BLOCKS; i += THREADS) {
            int r = i / BLOCKS, c = i % BLOCKS * 8;
            bool whole = from + r < sequence;
            async_copy16(tile + r * STRIDE + c, rows + (whole ? (from + r) * stride : 0) + c, whole);
        }
    }

    // c(16 x 8 N) += a b', with a the 16 rows at `a`, b the 8 N rows at `b`.
    template <int N> DEVICE static void multiply_rows(float (&c)[N][4], const T *a, const T *b) {
        int at = fragment_row() * STRIDE + fragment_column();
#pragma unroll
        for (int k = 0; k < SIZE; k += 16) {
            const T *a_k = a + at + k;
            uint32 a_f[4] = {*(const uint32 *)a_k, *(const uint32 *)(a_k + 8 * STRIDE), *(const uint32 *)(a_k + 8),
                             *(const uint32 *)(a_k + 8 * STRIDE + 8)};
#pragma unroll
            for (int n = 0; n < N; n++) {
                const T *b_k = b + at + n * 8 * STRIDE + k;
                uint32 b_f[2] = {*(const uint32 *)b_k, *(const uint32 *)(b_k + 8)};
                mma(T(), c[n], a_f, b_f);
            }
        }
    }

    // c(16 x SIZE) += w b, with w(16 x 8 K) a result as multiply_rows leaves it, rounded, and b the 8 K rows at `b`.
    template <int K> DEVICE static void multiply_weights(float (&c)[BLOCKS][4], const float (&w)[K][4], const T *b) {
        int matrix = lane() / 8;
        const T *row = b + (lane() % 8 + matrix % 2 * 8) * STRIDE + matrix / 2 * 8;
#pragma unroll
        for (int k = 0; k < K; k += 2) {
            // two blocks of a result are one operand: its lanes hold the same rows and columns
            uint32 a_f[4] = {pack<T>(w[k][0], w[k][1]), pack<T>(w[k][2], w[k][3]), pack<T>(w[k + 1][0], w[k + 1][1]), pack<T>(w[k + 1][2], w[k + 1][3])};
#pragma unroll
            for (int n = 0; n < BLOCKS; n += 2) {
                uint32 r[4];
                load_transposed(r, row + k * 8 * STRIDE + n * 8);
                uint32 low[2] = {r[0], r[1]}, high[2] = {r[2], r[3]};
                mma(T(), c[n], a_f, low);
                mma(T(), c[n + 1], a_f, high);
            }
        }
    }

    // Rows of c times `factors` (of rows g and g + 8) to a sequence, those past its end left out.
    DEVICE static void store(T *rows, int64 stride, const float (&c)[BLOCKS][4], const float (&factors)[2], int from, int sequence) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int r = from + fragment_row() + 8 * half;
            if (r < sequence) {
#pragma unroll
                for (int n = 0; n < BLOCKS; n++) {
                    *(uint32 *)(rows + r * stride + n * 8 + fragment_column()) = pack<T>(c[n][2 * half] * factors[half], c[n][2 * half + 1] * factors[half]);
                }
            }
        }
    }
};

// Sums and maxima over the four lanes that share a row.
DEVICE float quad_sum(float x) {
    x += __shfl_xor_sync(ALL_LANES, x, 1);
    return x + __shfl_xor_sync(ALL_LANES, x, 2);
}

DEVICE float quad_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 1));
    return fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 2));
}
