// Attention on tensor cores: bf16 or f16, head sizes 32, 64 and 128, rows on 16-byte boundaries. Four warps a block, 16 rows a warp; the other side streams by
// in tiles, the next one on its way while this one is multiplied. Probabilities and their gradients are rounded to that type before the second product.
#include "attention.cuh"
#include "mma.cuh"

const int MMA_THREADS = 128;
const int OWN_ROWS = 64;
const float LOG2_E = 1.44269504088896340736f;

// Rows of a streamed tile: as many as registers and shared memory of every card allow.
template <int HEAD> DEVICE constexpr int streamed_rows() { return HEAD > 64 ? 32 : 64; }

// Grid (query tiles, N, B). Shared: q, then two stages of k and v.
template <class T, int HEAD> DEVICE void attend(const AttentionArguments &a) {
    typedef Tile<T, HEAD> Tl;
    const int KEYS = streamed_rows<HEAD>();
    T *q_s = (T *)shared_memory();
    T *stages = q_s + OWN_ROWS * Tl::STRIDE;
    int first = (gridDim.x - 1 - blockIdx.x) * OWN_ROWS; // the longest rows begin first
    int head = blockIdx.y, b = blockIdx.z;
    int key_head = head / (a.heads / a.key_heads);
    const T *k = head_of<T>(a.k, a.k_stride, b, a.sequence, key_head, HEAD);
    const T *v = head_of<T>(a.v, a.v_stride, b, a.sequence, key_head, HEAD);
    Tl::template fetch<OWN_ROWS, MMA_THREADS>(q_s, head_of<T>(a.q, a.q_stride, b, a.sequence, head, HEAD), a.q_stride, first, a.sequence);
    Tl::template fetch<KEYS, MMA_THREADS>(stages, k, a.k_stride, 0, a.sequence);
    Tl::template fetch<KEYS, MMA_THREADS>(stages + KEYS * Tl::STRIDE, v, a.v_stride, 0, a.sequence);
    async_commit();

    int own = warp() * 16;                      // rows of this warp in the tile
    int t = first + own + fragment_row();       // and of this lane: t and t + 8
    float o[HEAD / 8][4] = {};
    float max[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};
    float scale = a.scale * LOG2_E;
    int tiles = (min(first + OWN_ROWS, a.sequence) + KEYS - 1) / KEYS;
    for (int j = 0; j < tiles; j++) {
        T *k_s = stages + j % 2 * 2 * KEYS * Tl::STRIDE, *v_s = k_s + KEYS * Tl::STRIDE;
        if (j + 1 < tiles) {
            T *next = stages + (j + 1) % 2 * 2 * KEYS * Tl::STRIDE;
            Tl::template fetch<KEYS, MMA_THREADS>(next, k, a.k_stride, (j + 1) * KEYS, a.sequence);
            Tl::template fetch<KEYS, MMA_THREADS>(next + KEYS * Tl::STRIDE, v, a.v_stride, (j + 1) * KEYS, a.sequence);
            async_commit();
            async_wait<1>();
        } else {
            async_wait<0>();
        }
        BARRIER();
        float s[KEYS / 8][4] = {};
        Tl::multiply_rows(s, q_s + own * Tl::STRIDE, k_s);
        float largest[2] = {max[0], max[1]};
        int u = j * KEYS + fragment_column();
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                if (u + n * 8 + i % 2 > t + i / 2 * 8) {
                    s[n][i] = -INFINITY;
                }
                largest[i / 2] = fmaxf(largest[i / 2], s[n][i]);
            }
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            largest[half] = quad_max(largest[half]);
            // Before a row has met a key it may see, its maximum is -inf: take 0 off then, and every p is exp(-inf) = 0.
            float base = largest[half] == -INFINITY ? 0 : largest[half];
            float factor = exp2f((max[half] - base) * scale);
            max[half] = largest[half];
            sum[half] *= factor;
#pragma unroll
            for (int n = 0; n < HEAD / 8; n++) {
                o[n][2 * half] *= factor;
                o[n][2 * half + 1] *= factor;
            }
#pragma unroll
            for (int n = 0; n < KEYS / 8; n++) {
#pragma unroll
                for (int i = 2 * half; i < 2 * half + 2; i++) {
                    s[n][i] = exp2f((s[n][i] - base) * scale);
                    sum[half] += s[n][i];
                }
            }
        }
        Tl::multiply_weights(o, s, v_s);
        BARRIER(); // this stage is free
    }
    float inverses[2];
    float *lse = a.lse + ((int64)b * a.heads + head) * a.sequence;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        sum[half] = quad_sum(sum[half]);
        inverses[half] = 1 / sum[half];
        if (lane() % 4 == 0 && t + 8 * half < a.sequence) {
            lse[t + 8 * half] = max[half] * a.scale + logf(sum[half]);
        }
    }
    int64 width = (int64)a.heads * HEAD;
    Tl::store(head_of<T>(a.o, width, b, a.sequence, head, HEAD), width, o, inverses, first + own, a.sequence);
}

KERNEL(attention_mma_bf16_32, MMA_THREADS, AttentionArguments) { attend<bf16, 32>(a); }
KERNEL(attention_mma_f16_32, MMA_THREADS, AttentionArguments) { attend<f16, 32>(a); }
KERNEL(attention_mma_bf16_64, MMA_THREADS, AttentionArguments) { attend<bf16, 64>(a); }
KERNEL(attention_mma_f16_64, MMA_THREADS, AttentionArguments) { attend<f16, 64>(a); }
KERNEL(attention_mma_bf16_128, MMA_THREADS, AttentionArguments) { attend<bf16, 128>(a); }
KERNEL(attention_mma_f16_128, MMA_THREADS, AttentionArguments) { attend<f16, 128>(a); }

// dq. Grid (query tiles, N, B). Shared: q, do, then two stages of k and v.
template <class T, int HEAD> DEVICE void query_gradient(const AttentionGradientArguments &a) {
    typedef Tile<T, HEAD> Tl;
    const int KEYS = streamed_rows<HEAD>();
    T *q_s = (T *)shared_memory();
    T *do_s = q_s + OWN_ROWS * Tl::STRIDE, *stages = do_s + OWN_ROWS * Tl::STRIDE;
    int first = (gridDim.x - 1 - blockIdx.x) * OWN_ROWS;
    int head = blockIdx.y, b = blockIdx.z;
    int key_head = head / (a.heads / a.key_heads);
    int64 width = (int64)a.heads * HEAD;
    const T *k = head_of<T>(a.k, a.k_stride, b, a.sequence, key_head, HEAD);
    const T *v = head_of<T>(a.v, a.v_stride, b, a.sequence, key_head, HEAD);
    Tl::template fetch<OWN_ROWS, MMA_THREADS>(q_s, head_of<T>(a.q, a.q_stride, b, a.sequence, head, HEAD), a.q_stride, first, a.sequence);
    Tl::template fetch<OWN_ROWS, MMA_THREADS>(do_s, head_of<T>(a.dout, width, b, a.sequence, head, HEAD), width, first, a.sequence);
    Tl::template fetch<KEYS, MMA_THREADS>(stages, k, a.k_stride, 0, a.sequence);
    Tl::template fetch<KEYS, MMA_THREADS>(stages + KEYS * Tl::STRIDE, v, a.v_stride, 0, a.sequence);
    async_commit();

    int own = warp() * 16;
    int t = first + own + fragment_row();
    float lse[2], delta[2];
    int64 statistics = ((int64)b * a.heads + head) * a.sequence;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        bool valid = t + 8 * half < a.sequence;
        lse[half] = valid ? a.lse[statistics + t + 8 * half] * LOG2_E : INFINITY;
        delta[half] = valid ? a.delta[statistics + t + 8 * half] : 0;
    }
    float dq[HEAD / 8][4] = {};
    float scale = a.scale * LOG2_E;
    int tiles = (min(first + OWN_ROWS, a.sequence) + KEYS - 1) / KEYS;
    for (int j = 0; j < tiles; j++) {
        T *k_s = stages + j % 2 * 2 * KEYS * Tl::STRIDE, *v_s = k_s + KEYS * Tl::STRIDE;
        if (j + 1 < tiles) {
            T *next = stages + (j + 1) % 2 * 2 * KEYS * Tl::STRIDE;
            Tl::template fetch<KEYS, MMA_THREADS>(next, k, a.k_stride, (j + 1) * KEYS, a.sequence);
            Tl::template fetch<KEYS, MMA_THREADS>(next + KEYS * Tl::STRIDE, v, a.v_stride, (j + 1) * KEYS, a.sequence);
            async_commit();
            async_wait<1>();
        } else {
            async_wait<0>();
        }
        BARRIER();
        float s[KEYS / 8][4] = {}, dp[KEYS / 8][4] = {};
        Tl::multiply_rows(s, q_s + own * Tl::STRIDE, k_s);
        Tl::multiply_rows(dp, do_s + own * Tl::STRIDE, v_s);
        int u = j * KEYS + fragment_column();
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                // forward: s = scale q . k, p = exp(s - lse), o = sum_u p v
                bool seen = u + n * 8 + i % 2 <= t + i / 2 * 8;
                float p = seen ? exp2f(s[n][i] * scale - lse[i / 2]) : 0;
                s[n][i] = p * (dp[n][i] - delta[i / 2]);
            }
        }
        Tl::multiply_weights(dq, s, k_s);
        BARRIER();
    }
    float factors[2] = {a.scale, a.scale};
    Tl::store(head_of<T>(a.dq, a.dq_stride, b, a.sequence, head, HEAD), a.dq_stride, dq, factors, first + own, a.sequence);
}

KERNEL(query_gradient_mma_bf16_32, MMA_THREADS, AttentionGradientArguments) { query_gradient<bf16, 32>(a); }
KERNEL(query_gradient_mma_f16_32, MMA_THREADS, AttentionGradientArguments) { query_gradient<f16, 32>(a); }
KERNEL(query_gradient_mma_bf16_64, MMA_THREADS, AttentionGradientArguments) { query_gradient<bf16, 64>(a); }
KERNEL(query_gradient_mma_f16_64, MMA_THREADS, AttentionGradientArguments) { query_gradient<f16, 64>(a); }
KERNEL(query_gradient_mma_bf16_128, MMA_THREADS, AttentionGradientArguments) { query_gradient<bf16, 128>(a); }
KERNEL(query_gradient_mma_f16_128, MMA_THREADS, AttentionGradientArguments) { query_gradient<f16, 128>(a); }

// dk and dv over the query heads that share them, in order: all transposed, a warp owns 16 keys. Grid (key tiles, Nkv, B).
// Shared: k, v, then two stages of q, do, lse and delta.
template <class T, int HEAD> DEVICE void key_gradient(const AttentionGradientArguments &a) {
    typedef Tile<T, HEAD> Tl;
    const int QUERIES = streamed_rows<HEAD>();
    const int STAGE = 2 * QUERIES * Tl::STRIDE + 2 * QUERIES * 2; // elements: two tiles and two rows of floats
    T *k_s = (T *)shared_memory();
    T *v_s = k_s + OWN_ROWS * Tl::STRIDE, *stages = v_s + OWN_ROWS * Tl::STRIDE;
    int first = blockIdx.x * OWN_ROWS;
    int key_head = blockIdx.y, b = blockIdx.z;
    int group = a.heads / a.key_heads;
    int64 width = (int64)a.heads * HEAD;
    Tl::template fetch<OWN_ROWS, MMA_THREADS>(k_s, head_of<T>(a.k, a.k_stride, b, a.sequence, key_head, HEAD), a.k_stride, first, a.sequence);
    Tl::template fetch<OWN_ROWS, MMA_THREADS>(v_s, head_of<T>(a.v, a.v_stride, b, a.sequence, key_head, HEAD), a.v_stride, first, a.sequence);

    // Tile i of all: head i / tiles of the group, queries from first + i % tiles * QUERIES.
    int tiles = (a.sequence - first + QUERIES - 1) / QUERIES;
    int all = tiles * group;
    auto bring = [&](int i) {
        T *q_s = stages + i % 2 * STAGE, *do_s = q_s + QUERIES * Tl::STRIDE;
        float *lse_s = (float *)(do_s + QUERIES * Tl::STRIDE), *delta_s = lse_s + QUERIES;
        int head = key_head * group + i / tiles, from = first + i % tiles * QUERIES;
        Tl::template fetch<QUERIES, MMA_THREADS>(q_s, head_of<T>(a.q, a.q_stride, b, a.sequence, head, HEAD), a.q_stride, from, a.sequence);
        Tl::template fetch<QUERIES, MMA_THREADS>(do_s, head_of<T>(a.dout, width, b, a.sequence, head, HEAD), width, from, a.sequence);
        async_commit();
        if (threadIdx.x < QUERIES) {
            int t = from + threadIdx.x;
            int64 statistic = ((int64)b * a.heads + head) * a.sequence + t;
            lse_s[threadIdx.x] = t < a.sequence ? a.lse[statistic] * LOG2_E : INFINITY;
            delta_s[threadIdx.x] = t < a.sequence ? a.delta[statistic] : 0;
        }
    };
    bring(0);

    int own = warp() * 16;
    int u = first + own + fragment_row();
    float dk[HEAD / 8][4] = {}, dv[HEAD / 8][4] = {};
    float scale = a.scale * LOG2_E;
    for (int j = 0; j < all; j++) {
        T *q_s = stages + j % 2 * STAGE, *do_s = q_s + QUERIES * Tl::STRIDE;
        float *lse_s = (float *)(do_s + QUERIES * Tl::STRIDE), *delta_s = lse_s + QUERIES;
        if (j + 1 < all) {
            bring(j + 1);
            async_wait<1>();
        } else {
            async_wait<0>();
        }
        BARRIER();
        float p[QUERIES / 8][4] = {}, ds[QUERIES / 8][4] = {};
        Tl::multiply_rows(p, k_s + own * Tl::STRIDE, q_s);
        Tl::multiply_rows(ds, v_s + own * Tl::STRIDE, do_s);
        int from = first + j % tiles * QUERIES;
#pragma unroll
        for (int n = 0; n < QUERIES / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int column = n * 8 + fragment_column() + i % 2;
                bool seen = u + i / 2 * 8 <= from + column;
                p[n][i] = seen ? exp2f(p[n][i] * scale - lse_s[column]) : 0;
                ds[n][i] = p[n][i] * (ds[n][i] - delta_s[column]);
            }
        }
        Tl::multiply_weights(dv, p, do_s);
        Tl::multiply_weights(dk, ds, q_s);
        BARRIER();
    }
    float scales[2] = {a.scale, a.scale}, ones[2] = {1, 1};
    Tl::store(head_of<T>(a.dk, a.dk_stride, b, a.sequence, key_head, HEAD), a.dk_stride, dk, scales, first + own, a.sequence);
    Tl::store(head_of<T>(a.dv, a.dv_stride, b, a.sequence, key_head, HEAD), a.dv_stride, dv, ones, first + own, a.sequence);
}

KERNEL(key_gradient_mma_bf16_32, MMA_THREADS, AttentionGradientArguments) { key_gradient<bf16, 32>(a); }
KERNEL(key_gradient_mma_f16_32, MMA_THREADS, AttentionGradientArguments) { key_gradient<f16, 32>(a); }
KERNEL(key_gradient_mma_bf16_64, MMA_THREADS, AttentionGradientArguments) { key_gradient<bf16, 64>(a); }
KERNEL(key_gradient_mma_f16_64, MMA_THREADS, AttentionGradientArguments) { key_gradient<f16, 64>(a); }
KERNEL(key_gradient_mma_bf16_128, MMA_THREADS, AttentionGradientArguments) { key_gradient<bf16, 128>(a); }
KERNEL(key_gradient_mma_f16_128, MMA_THREADS, AttentionGradientArguments) { key_gradient<f16, 128>(a); }
