// Attention for any head size to 256, any stride and alignment, in plain multiply-adds: for f32, and for bf16 and f16 what tensor cores cannot take.
// A block takes TILE queries (or keys) of one head; each of them has PARTS threads, neighbours in a warp, that share its products.
#include "attention.cuh"

const int TILE_THREADS = 128;

template <class T, int MOST, int TILE> struct Tiles {
    static const int PARTS = TILE_THREADS / TILE; // threads of a row
    static const int COLUMNS = TILE / PARTS;      // scores of a thread
    static const int OUTPUTS = MOST / PARTS;      // output elements of a thread

    // Rows from, from+1, .. of a head as floats, zeros past the sequence; rows lie size + 1 apart, against bank conflicts.
    DEVICE static void load(float *tile, const T *rows, int64 stride, int from, int sequence, int size) {
#pragma unroll 1
        for (int i = threadIdx.x; i < TILE * size; i += TILE_THREADS) {
            int r = i / size, h = i % size;
            tile[r * (size + 1) + h] = from + r < sequence ? widen(rows[(from + r) * stride + h]) : 0.0f;
        }
    }

    DEVICE static float dot(const float *x, const float *y, int size) {
        float sum = 0;
#pragma unroll 4
        for (int h = 0; h < size; h++) {
            sum += x[h] * y[h];
        }
        return sum;
    }

    // outputs[i] += sum_u weights[u] * rows[u][part + i PARTS]
    DEVICE static void accumulate(float (&outputs)[OUTPUTS], const float *weights, const float *rows, int part, int size) {
#pragma unroll 1
        for (int u = 0; u < TILE; u++) {
            float weight = weights[u];
            const float *row = rows + u * (size + 1);
#pragma unroll
            for (int i = 0; i < OUTPUTS; i++) {
                int h = part + i * PARTS;
                outputs[i] += h < size ? weight * row[h] : 0.0f;
            }
        }
    }

    DEVICE static void store(T *row, const float (&outputs)[OUTPUTS], float factor, int part, int size) {
#pragma unroll
        for (int i = 0; i < OUTPUTS; i++) {
            int h = part + i * PARTS;
            if (h < size) {
                put(row + h, outputs[i] * factor);
            }
        }
    }

    DEVICE static float row_max(float x) {
#pragma unroll
        for (int distance = 1; distance < PARTS; distance *= 2) {
            x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, distance));
        }
        return x;
    }

    DEVICE static float row_sum(float x) {
#pragma unroll
        for (int distance = 1; distance < PARTS; distance *= 2) {
            x += __shfl_xor_sync(ALL_LANES, x, distance);
        }
        return x;
    }
};

// Grid (query tiles, N, B). Shared: q, then k or v, then p.
template <class T, int MOST, int TILE> DEVICE void attend(const AttentionArguments &a) {
    typedef Tiles<T, MOST, TILE> Tl;
    int size = a.head_size;
    float *q_s = (float *)shared_memory();
    float *kv_s = q_s + TILE * (size + 1);
    float *p_s = kv_s + TILE * (size + 1);
    int row = threadIdx.x / Tl::PARTS, part = threadIdx.x % Tl::PARTS;
    int first = blockIdx.x * TILE, t = first + row;
    int head = blockIdx.y, b = blockIdx.z;
    int key_head = head / (a.heads / a.key_heads);
    const T *q = head_of<T>(a.q, a.q_stride, b, a.sequence, head, size);
    const T *k = head_of<T>(a.k, a.k_stride, b, a.sequence, key_head, size);
    const T *v = head_of<T>(a.v, a.v_stride, b, a.sequence, key_head, size);
    Tl::load(q_s, q, a.q_stride, first, a.sequence, size);
    float outputs[Tl::OUTPUTS] = {};
    float max = -INFINITY, sum = 0;
    for (int from = 0; from <= first; from += TILE) {
        Tl::load(kv_s, k, a.k_stride, from, a.sequence, size);
        BARRIER();
        float scores[Tl::COLUMNS];
        float largest = max;
        for (int j = 0; j < Tl::COLUMNS; j++) {
            int u = part + j * Tl::PARTS;
            scores[j] = from + u <= t ? a.scale * Tl::dot(q_s + row * (size + 1), kv_s + u * (size + 1), size) : -INFINITY;
            largest = fmaxf(largest, scores[j]);
        }
        largest = Tl::row_max(largest); // finite: key `from` is never masked
        float factor = expf(max - largest);
        max = largest;
        float part_sum = 0;
        for (int j = 0; j < Tl::COLUMNS; j++) {
            float p = expf(scores[j] - max);
            p_s[row * (TILE + 1) + part + j * Tl::PARTS] = p;
            part_sum += p;
        }
        sum = sum * factor + Tl::row_sum(part_sum);
        BARRIER(); // k is read, p is written
        Tl::load(kv_s, v, a.v_stride, from, a.sequence, size);
        BARRIER();
#pragma unroll
        for (int i = 0; i < Tl::OUTPUTS; i++) {
            outputs[i] *= factor;
        }
        Tl::accumulate(outputs, p_s + row * (TILE + 1), kv_s, part, size);
        BARRIER(); // v is read
    }
    if (t < a.sequence) {
        int64 width = (int64)a.heads * size;
        Tl::store(head_of<T>(a.o, width, b, a.sequence, head, size) + t * width, outputs, 1 / sum, part, size);
        if (part == 0) {
            a.lse[((int64)b * a.heads + head) * a.sequence + t] = max + logf(sum);
        }
    }
}

KERNEL(attention_f32_64, TILE_THREADS, AttentionArguments) { attend<float, 64, 32>(a); }
KERNEL(attention_f32_128, TILE_THREADS, AttentionArguments) { attend<float, 128, 32>(a); }
KERNEL(attention_f32_256, TILE_THREADS, AttentionArguments) { attend<float, 256, 16>(a); }
KERNEL(attention_bf16_64, TILE_THREADS, AttentionArguments) { attend<bf16, 64, 32>(a); }
KERNEL(attention_bf16_128, TILE_THREADS, AttentionArguments) { attend<bf16, 128, 32>(a); }
KERNEL(attention_bf16_256, TILE_THREADS, AttentionArguments) { attend<bf16, 256, 16>(a); }
KERNEL(attention_f16_64, TILE_THREADS, AttentionArguments) { attend<f16, 64, 32>(a); }
KERNEL(attention_f16_128, TILE_THREADS, AttentionArguments) { attend<f16, 128, 32>(a); }
KERNEL(attention_f16_256, TILE_THREADS, AttentionArguments) { attend<f16, 256, 16>(a); }

// ---- gradient ----

struct DeltaArguments {
    float *delta; // (B, N, T)
    const void *dout;
    const void *o;
    int64 rows; // B T
    int sequence, heads, head_size, unused;
};

// delta = sum_h do o = sum_u p dp, since o = sum_u p v. A warp a row and head.
template <class T> DEVICE void attention_delta(const DeltaArguments &a) {
    int64 pair = (int64)blockIdx.x * 8 + warp();
    if (pair >= a.rows * a.heads) {
        return;
    }
    int64 row = pair / a.heads;
    int head = (int)(pair % a.heads);
    float sum = 0;
    for (int h = lane(); h < a.head_size; h += WARP) {
        int64 i = pair * a.head_size + h;
        sum += widen(((const T *)a.dout)[i]) * widen(((const T *)a.o)[i]);
    }
    sum = warp_sum(sum);
    if (lane() == 0) {
        a.delta[(row / a.sequence * a.heads + head) * a.sequence + row % a.sequence] = sum;
    }
}

KERNEL(attention_delta_f32, 256, DeltaArguments) { attention_delta<float>(a); }
KERNEL(attention_delta_bf16, 256, DeltaArguments) { attention_delta<bf16>(a); }
KERNEL(attention_delta_f16, 256, DeltaArguments) { attention_delta<f16>(a); }

// dq. Grid (query tiles, N, B). Shared: q, do, k, v, ds.
template <class T, int MOST, int TILE> DEVICE void query_gradient(const AttentionGradientArguments &a) {
    typedef Tiles<T, MOST, TILE> Tl;
    int size = a.head_size, tile = TILE * (size + 1);
    float *q_s = (float *)shared_memory(), *do_s = q_s + tile, *k_s = do_s + tile, *v_s = k_s + tile, *ds_s = v_s + tile;
    int row = threadIdx.x / Tl::PARTS, part = threadIdx.x % Tl::PARTS;
    int first = blockIdx.x * TILE, t = first + row;
    int head = blockIdx.y, b = blockIdx.z;
    int key_head = head / (a.heads / a.key_heads);
    int64 width = (int64)a.heads * size;
    const T *k = head_of<T>(a.k, a.k_stride, b, a.sequence, key_head, size);
    const T *v = head_of<T>(a.v, a.v_stride, b, a.sequence, key_head, size);
    Tl::load(q_s, head_of<T>(a.q, a.q_stride, b, a.sequence, head, size), a.q_stride, first, a.sequence, size);
    Tl::load(do_s, head_of<T>(a.dout, width, b, a.sequence, head, size), width, first, a.sequence, size);
    int64 statistic = ((int64)b * a.heads + head) * a.sequence + t;
    float lse = t < a.sequence ? a.lse[statistic] : INFINITY;
    float delta = t < a.sequence ? a.delta[statistic] : 0;
    float outputs[Tl::OUTPUTS] = {};
    for (int from = 0; from <= first; from += TILE) {
        Tl::load(k_s, k, a.k_stride, from, a.sequence, size);
        Tl::load(v_s, v, a.v_stride, from, a.sequence, size);
        BARRIER();
#pragma unroll 1
        for (int j = 0; j < Tl::COLUMNS; j++) {
            int u = part + j * Tl::PARTS;
            float ds = 0;
            if (from + u <= t) {
                // forward: s = scale q . k, p = exp(s - lse), o = sum_u p v
                float p = expf(a.scale * Tl::dot(q_s + row * (size + 1), k_s + u * (size + 1), size) - lse);
                float dp = Tl::dot(do_s + row * (size + 1), v_s + u * (size + 1), size);
                ds = p * (dp - delta);
            }
            ds_s[row * (TILE + 1) + u] = ds;
        }
        BARRIER();
        Tl::accumulate(outputs, ds_s + row * (TILE + 1), k_s, part, size);
        BARRIER();
    }
    if (t < a.sequence) {
        Tl::store(head_of<T>(a.dq, a.dq_stride, b, a.sequence, head, size) + t * a.dq_stride, outputs, a.scale, part, size);
    }
}

// dk and dv, summed over the query heads that share them, in order. Grid (key tiles, Nkv, B). Shared: k, v, q, do, p, ds, lse, delta.
template <class T, int MOST, int TILE> DEVICE void key_gradient(const AttentionGradientArguments &a) {
    typedef Tiles<T, MOST, TILE> Tl;
    int size = a.head_size, tile = TILE * (size + 1);
    float *k_s = (float *)shared_memory(), *v_s = k_s + tile, *q_s = v_s + tile, *do_s = q_s + tile, *p_s = do_s + tile;
    float *ds_s = p_s + TILE * (TILE + 1), *lse_s = ds_s + TILE * (TILE + 1), *delta_s = lse_s + TILE;
    int row = threadIdx.x / Tl::PARTS, part = threadIdx.x % Tl::PARTS;
    int first = blockIdx.x * TILE, u = first + row;
    int key_head = blockIdx.y, b = blockIdx.z;
    int group = a.heads / a.key_heads;
    int64 width = (int64)a.heads * size;
    Tl::load(k_s, head_of<T>(a.k, a.k_stride, b, a.sequence, key_head, size), a.k_stride, first, a.sequence, size);
    Tl::load(v_s, head_of<T>(a.v, a.v_stride, b, a.sequence, key_head, size), a.v_stride, first, a.sequence, size);
    float dk[Tl::OUTPUTS] = {}, dv[Tl::OUTPUTS] = {};
    for (int head = key_head * group; head < (key_head + 1) * group; head++) {
        const T *q = head_of<T>(a.q, a.q_stride, b, a.sequence, head, size);
        const T *dout = head_of<T>(a.dout, width, b, a.sequence, head, size);
        int64 statistics = ((int64)b * a.heads + head) * a.sequence;
        for (int from = first; from < a.sequence; from += TILE) {
            Tl::load(q_s, q, a.q_stride, from, a.sequence, size);
            Tl::load(do_s, dout, width, from, a.sequence, size);
            if (threadIdx.x < TILE) {
                int t = from + threadIdx.x;
                lse_s[threadIdx.x] = t < a.sequence ? a.lse[statistics + t] : INFINITY;
                delta_s[threadIdx.x] = t < a.sequence ? a.delta[statistics + t] : 0;
            }
            BARRIER();
#pragma unroll 1
            for (int j = 0; j < Tl::COLUMNS; j++) {
                int column = part + j * Tl::PARTS;
                float p = 0, ds = 0;
                if (u <= from + column && from + column < a.sequence) {
                    p = expf(a.scale * Tl::dot(q_s + column * (size + 1), k_s + row * (size + 1), size) - lse_s[column]);
                    ds = p * (Tl::dot(do_s + column * (size + 1), v_s + row * (size + 1), size) - delta_s[column]);
                }
                p_s[row * (TILE + 1) + column] = p;
                ds_s[row * (TILE + 1) + column] = ds;
            }
            BARRIER();
            Tl::accumulate(dv, p_s + row * (TILE + 1), do_s, part, size);
            Tl::accumulate(dk, ds_s + row * (TILE + 1), q_s, part, size);
            BARRIER();
        }
    }
    if (u < a.sequence) {
        Tl::store(head_of<T>(a.dk, a.dk_stride, b, a.sequence, key_head, size) + u * a.dk_stride, dk, a.scale, part, size);
        Tl::store(head_of<T>(a.dv, a.dv_stride, b, a.sequence, key_head, size) + u * a.dv_stride, dv, 1, part, size);
    }
}

KERNEL(query_gradient_f32_64, TILE_THREADS, AttentionGradientArguments) { query_gradient<float, 64, 32>(a); }
KERNEL(query_gradient_f32_128, TILE_THREADS, AttentionGradientArguments) { query_gradient<float, 128, 32>(a); }
KERNEL(query_gradient_f32_256, TILE_THREADS, AttentionGradientArguments) { query_gradient<float, 256, 16>(a); }
KERNEL(query_gradient_bf16_64, TILE_THREADS, AttentionGradientArguments) { query_gradient<bf16, 64, 32>(a); }
KERNEL(query_gradient_bf16_128, TILE_THREADS, AttentionGradientArguments) { query_gradient<bf16, 128, 32>(a); }
KERNEL(query_gradient_bf16_256, TILE_THREADS, AttentionGradientArguments) { query_gradient<bf16, 256, 16>(a); }
KERNEL(query_gradient_f16_64, TILE_THREADS, AttentionGradientArguments) { query_gradient<f16, 64, 32>(a); }
KERNEL(query_gradient_f16_128, TILE_THREADS, AttentionGradientArguments) { query_gradient<f16, 128, 32>(a); }
KERNEL(query_gradient_f16_256, TILE_THREADS, AttentionGradientArguments) { query_gradient<f16, 256, 16>(a); }
KERNEL(key_gradient_f32_64, TILE_THREADS, AttentionGradientArguments) { key_gradient<float, 64, 32>(a); }
KERNEL(key_gradient_f32_128, TILE_THREADS, AttentionGradientArguments) { key_gradient<float, 128, 32>(a); }
KERNEL(key_gradient_f32_256, TILE_THREADS, AttentionGradientArguments) { key_gradient<float, 256, 16>(a); }
KERNEL(key_gradient_bf16_64, TILE_THREADS, AttentionGradientArguments) { key_gradient<bf16, 64, 32>(a); }
KERNEL(key_gradient_bf16_128, TILE_THREADS, AttentionGradientArguments) { key_gradient<bf16, 128, 32>(a); }
KERNEL(key_gradient_bf16_256, TILE_THREADS, AttentionGradientArguments) { key_gradient<bf16, 256, 16>(a); }
KERNEL(key_gradient_f16_64, TILE_THREADS, AttentionGradientArguments) { key_gradient<f16, 64, 32>(a); }
KERNEL(key_gradient_f16_128, TILE_THREADS, AttentionGradientArguments) { key_gradient<f16, 128, 32>(a); }
KERNEL(key_gradient_f16_256, TILE_THREADS, AttentionGradientArguments) { key_gradient<f16, 256, 16>(a); }
