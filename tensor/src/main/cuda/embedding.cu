// Token and position embedding, and its gradient in row order without atomics.
#include "device.cuh"

struct EmbeddingArguments {
    void *y;
    const int *tokens;
    const void *wte;
    const void *wpe; // or null
    uint64 *error;   // null where wte is a part of the table, which begins with token `first`
    int64 rows, columns, vocabulary, sequence, first;
};

// y[r] = wte[tokens[r] - first] + wpe[r mod T]; a token out of range counts as a row of zeros.
template <class T> DEVICE void embed(const EmbeddingArguments &a) {
    int64 pieces = (a.columns + EIGHT - 1) / EIGHT;
    int64 piece = global_thread();
    if (piece >= a.rows * pieces) {
        return;
    }
    int64 row = piece / pieces;
    int64 column = piece % pieces * EIGHT;
    int64 count = a.columns - column;
    int64 token = a.tokens[row] - a.first;
    bool known = in_range(token, a.vocabulary, row, a.error);
    const T *wte = (const T *)a.wte;
    const T *wpe = (const T *)a.wpe;
    T *y = (T *)a.y;
    float values[EIGHT], positions[EIGHT];
    load8(wte + (known ? token : 0) * a.columns + column, known ? count : 0, aligned_rows(wte, a.columns), values);
    load8(wpe + row % a.sequence * a.columns + column, wpe ? count : 0, aligned_rows(wpe, a.columns), positions);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        values[j] += positions[j];
    }
    store8(y + row * a.columns + column, count, aligned_rows(y, a.columns), values);
}

KERNEL(embedding_f32, 256, EmbeddingArguments) { embed<float>(a); }
KERNEL(embedding_bf16, 256, EmbeddingArguments) { embed<bf16>(a); }
KERNEL(embedding_f16, 256, EmbeddingArguments) { embed<f16>(a); }

// ---- which rows have the same token: next[r] is the next one or -1, later[r] is 1 where an earlier one is ----

struct LinkArguments {
    int *next;
    int *later; // zeroed before
    const int *tokens;
    int64 rows;
};

// A warp a row looks ahead, 32 rows at a time. A row has one row before it at most, so `later` has one writer.
KERNEL(embedding_links, 256, LinkArguments) {
    int64 row = (int64)blockIdx.x * 8 + warp();
    if (row >= a.rows) {
        return;
    }
    int token = a.tokens[row];
    int found = -1;
    for (int64 from = row + 1; from < a.rows && found < 0; from += WARP) {
        int64 other = from + lane();
        float distance = other < a.rows && a.tokens[other] == token ? (float)(WARP - lane()) : 0.0f;
        distance = warp_max(distance);
        if (distance > 0) {
            found = (int)(from + WARP - (int)distance);
        }
    }
    if (lane() == 0) {
        a.next[row] = found;
        if (found >= 0) {
            a.later[found] = 1;
        }
    }
}

struct EmbeddingGradientArguments {
    float *dwte;
    const void *dy;
    const int *tokens;
    const int *next;
    const int *later;
    uint64 *error; // as above
    int64 rows, columns, vocabulary, first;
};

// dwte[token] += dy of each row of that token, in row order: the first of them walks the chain. Grid (rows, column blocks of 256).
template <class T> DEVICE void embed_gradient(const EmbeddingGradientArguments &a) {
    int64 row = blockIdx.x;
    int64 column = (int64)blockIdx.y * 256 + threadIdx.x;
    int64 token = a.tokens[row] - a.first;
    if (a.later[row] || column >= a.columns || !in_range(token, a.vocabulary, row, a.error)) {
        return;
    }
    const T *dy = (const T *)a.dy;
    float sum = 0;
    for (int64 r = row; r >= 0; r = a.next[r]) {
        sum += widen(dy[r * a.columns + column]);
    }
    a.dwte[token * a.columns + column] += sum;
}

KERNEL(embedding_gradient_f32, 256, EmbeddingGradientArguments) { embed_gradient<float>(a); }
KERNEL(embedding_gradient_bf16, 256, EmbeddingGradientArguments) { embed_gradient<bf16>(a); }
KERNEL(embedding_gradient_f16, 256, EmbeddingGradientArguments) { embed_gradient<f16>(a); }

struct PositionGradientArguments {
    float *dwpe;
    const void *dy;
    int64 rows, columns, sequence;
};

// dwpe[t] += sum over sequences of dy[b T + t]
template <class T> DEVICE void position_gradient(const PositionGradientArguments &a) {
    int64 i = global_thread();
    if (i >= a.sequence * a.columns) {
        return;
    }
    const T *dy = (const T *)a.dy;
    float sum = 0;
    for (int64 from = 0; from < a.rows; from += a.sequence) {
        sum += widen(dy[from * a.columns + i]);
    }
    a.dwpe[i] += sum;
}

KERNEL(position_gradient_f32, 256, PositionGradientArguments) { position_gradient<float>(a); }
KERNEL(position_gradient_bf16, 256, PositionGradientArguments) { position_gradient<bf16>(a); }
KERNEL(position_gradient_f16, 256, PositionGradientArguments) { position_gradient<f16>(a); }
