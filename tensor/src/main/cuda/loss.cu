// Softmax cross-entropy of rows: loss = log sum_v exp(logits[v]) - logits[target]; dlogits = scale (softmax - onehot), which may overwrite the logits.
#include "device.cuh"

const int LOSS_THREADS = 512;

// The running maximum and the sum of exponentials below it, of two parts.
DEVICE void join(float &max, float &sum, float other_max, float other_sum) {
    float joined = fmaxf(max, other_max);
    // exp(-inf - -inf) is no number: a part without elements adds 0
    sum = (sum == 0 ? 0 : sum * expf(max - joined)) + (other_sum == 0 ? 0 : other_sum * expf(other_max - joined));
    max = joined;
}

// Of a row, by all threads of the block: its maximum and the sum of exponentials below it, the same in every thread. Shared: two floats a warp.
DEVICE void row_softmax(const float *logits, int64 columns, float &max, float &sum) {
    float *maxima = (float *)shared_memory();
    float *sums = maxima + LOSS_THREADS / WARP;
    bool wide = aligned16(logits);
    max = -INFINITY, sum = 0;
#pragma unroll 1
    for (int64 c = threadIdx.x * EIGHT; c < columns; c += LOSS_THREADS * EIGHT) {
        float x[EIGHT];
        load8(logits + c, columns - c, wide, x);
        int count = (int)min((int64)EIGHT, columns - c);
        float largest = max;
        for (int j = 0; j < count; j++) {
            largest = fmaxf(largest, x[j]);
        }
        sum = sum == 0 ? 0 : sum * expf(max - largest);
        max = largest;
        for (int j = 0; j < count; j++) {
            sum += expf(x[j] - max);
        }
    }
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        float other_max = __shfl_xor_sync(ALL_LANES, max, distance);
        float other_sum = __shfl_xor_sync(ALL_LANES, sum, distance);
        join(max, sum, other_max, other_sum);
    }
    if (lane() == 0) {
        maxima[warp()] = max;
        sums[warp()] = sum;
    }
    BARRIER();
    max = maxima[0], sum = sums[0];
    for (int i = 1; i < LOSS_THREADS / WARP; i++) {
        join(max, sum, maxima[i], sums[i]);
    }
}

struct SoftmaxPartArguments {
    float *statistics; // (R, 3)
    const float *logits; // columns first, first + 1, ..
    const int *targets;
    int64 columns, stride, first;
};

// Block r: maximum, sum of exp(logits - maximum), the target's logit or 0.
KERNEL(softmax_part, LOSS_THREADS, SoftmaxPartArguments) {
    int64 row = blockIdx.x;
    const float *logits = a.logits + row * a.stride;
    float max, sum;
    row_softmax(logits, a.columns, max, sum);
    if (threadIdx.x == 0) {
        int64 target = a.targets[row] - a.first;
        a.statistics[3 * row] = max;
        a.statistics[3 * row + 1] = sum;
        a.statistics[3 * row + 2] = in_range(target, a.columns, row, 0) ? logits[target] : 0;
    }
}

struct LossArguments {
    float *loss;
    void *dlogits; // or null; row r may begin where row r of the logits does
    const float *logits; // columns first, first + 1, ..
    const int *targets;
    const float *statistics; // (parts, R, 3), or null where the logits are whole
    uint64 *error; // null where they are a part
    int64 rows, columns, logits_stride, dlogits_stride, first, parts;
    float scale;
    int unused;
};

// Block r: row r's log of the sum of exponentials, from its logits or from what all parts found, then loss and gradient.
template <class T> DEVICE void cross_entropy(const LossArguments &a) {
    int64 row = blockIdx.x;
    const float *logits = a.logits + row * a.logits_stride;
    T *dlogits = (T *)a.dlogits + row * a.dlogits_stride;
    int64 target = a.targets[row] - a.first;
    bool counted = a.targets[row] >= 0;
    float max, sum, at_target = 0;
    if (a.statistics) {
        max = -INFINITY, sum = 0;
        for (int64 part = 0; part < a.parts; part++) {
            const float *statistics = a.statistics + 3 * (part * a.rows + row);
            join(max, sum, statistics[0], statistics[1]);
            at_target += statistics[2];
        }
    } else {
        counted = counted && in_range(target, a.columns, row, a.error);
        row_softmax(logits, a.columns, max, sum);
        at_target = counted ? logits[target] : 0;
    }
    float lse = max + logf(sum);
    if (threadIdx.x == 0) {
        a.loss[row] = counted ? lse - at_target : 0;
    }
    if (!a.dlogits) {
        return;
    }
    BARRIER(); // the target's logit is read before anything is overwritten
    bool wide = aligned16(logits), wide_out = aligned16(dlogits);
    // Element c of a narrower gradient lies over logit c / 2 or before: a tile is written once all threads have read theirs of it.
#pragma unroll 1
    for (int64 from = 0; from < a.columns; from += LOSS_THREADS * EIGHT) {
        int64 c = from + threadIdx.x * EIGHT;
        float x[EIGHT];
        load8(logits + c, a.columns - c, wide, x);
        BARRIER();
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            x[j] = counted ? a.scale * (expf(x[j] - lse) - (c + j == target ? 1.0f : 0.0f)) : 0.0f;
        }
        store8(dlogits + c, a.columns - c, wide_out, x);
    }
}

KERNEL(cross_entropy_f32, LOSS_THREADS, LossArguments) { cross_entropy<float>(a); }
KERNEL(cross_entropy_bf16, LOSS_THREADS, LossArguments) { cross_entropy<bf16>(a); }
KERNEL(cross_entropy_f16, LOSS_THREADS, LossArguments) { cross_entropy<f16>(a); }
