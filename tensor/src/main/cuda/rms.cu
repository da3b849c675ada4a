// RMS norm over C: y = x * rstd * gain, rstd = 1 / sqrt(mean(x^2) + eps). Zhang and Sennrich 2019.
// A warp takes a row; it passes the row twice, which stays in the first cache.
#include "device.cuh"

const int ROWS_OF_BLOCK = 8; // warps

struct RmsArguments {
    void *sum; // null unless x + residual is to be kept and normalised; may be x or residual
    void *y;
    float *rstd;
    const void *x;
    const void *residual;
    const float *gain;
    int64 rows, columns;
    float eps;
    int unused;
};

template <class T> DEVICE void rms_forward(const RmsArguments &a) {
    int64 row = (int64)blockIdx.x * ROWS_OF_BLOCK + warp();
    if (row >= a.rows) {
        return; // a whole warp
    }
    int64 from = row * a.columns;
    bool wide = aligned_rows((const T *)a.y, a.columns) && aligned16(a.x) && aligned16(a.gain) && aligned16(a.sum) && aligned16(a.residual);
    const T *x = (const T *)a.x + from;
    float squares = 0;
    float values[EIGHT];
    if (a.sum) {
        // sum = x + residual, rounded, and then the norm of that
        const T *residual = (const T *)a.residual + from;
        T *sum = (T *)a.sum + from;
        for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
            float others[EIGHT];
            load8(x + c, a.columns - c, wide, values);
            load8(residual + c, a.columns - c, wide, others);
#pragma unroll
            for (int j = 0; j < EIGHT; j++) {
                values[j] = rounded(sum, values[j] + others[j]);
                squares += values[j] * values[j];
            }
            store8(sum + c, a.columns - c, wide, values);
        }
        x = sum; // each lane reads back what it wrote itself
    } else {
        for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
            load8(x + c, a.columns - c, wide, values);
#pragma unroll
            for (int j = 0; j < EIGHT; j++) {
                squares += values[j] * values[j];
            }
        }
    }
    float rstd = 1 / sqrtf(warp_sum(squares) / a.columns + a.eps);
    T *y = (T *)a.y + from;
    for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
        float gain[EIGHT];
        load8(x + c, a.columns - c, wide, values);
        load8(a.gain + c, a.columns - c, wide, gain);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            values[j] = values[j] * rstd * gain[j];
        }
        store8(y + c, a.columns - c, wide, values);
    }
    if (lane() == 0) {
        a.rstd[row] = rstd;
    }
}

KERNEL(rms_f32, 256, RmsArguments) { rms_forward<float>(a); }
KERNEL(rms_bf16, 256, RmsArguments) { rms_forward<bf16>(a); }
KERNEL(rms_f16, 256, RmsArguments) { rms_forward<f16>(a); }

struct RmsGradientArguments {
    void *dx; // may be dy or dresidual
    const void *dy;
    const void *dresidual; // or null
    const void *x;
    const float *gain;
    const float *rstd;
    int64 rows, columns;
};

template <class T> DEVICE void rms_gradient(const RmsGradientArguments &a) {
    int64 row = (int64)blockIdx.x * ROWS_OF_BLOCK + warp();
    if (row >= a.rows) {
        return;
    }
    int64 from = row * a.columns;
    bool wide = aligned_rows((const T *)a.dx, a.columns) && aligned16(a.dy) && aligned16(a.x) && aligned16(a.gain) && aligned16(a.dresidual);
    const T *x = (const T *)a.x + from;
    const T *dy = (const T *)a.dy + from;
    float rstd = a.rstd[row];
    float values[EIGHT], gradients[EIGHT], gain[EIGHT];
    // forward: n = x * rstd, y = n * gain; so dn = dy * gain
    float mean_dn_n = 0;
    for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
        load8(x + c, a.columns - c, wide, values);
        load8(dy + c, a.columns - c, wide, gradients);
        load8(a.gain + c, a.columns - c, wide, gain);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            mean_dn_n += gradients[j] * gain[j] * values[j] * rstd;
        }
    }
    mean_dn_n = warp_sum(mean_dn_n) / a.columns;
    T *dx = (T *)a.dx + from;
    const T *dresidual = (const T *)a.dresidual + from;
    for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
        float residual[EIGHT];
        load8(x + c, a.columns - c, wide, values);
        load8(dy + c, a.columns - c, wide, gradients);
        load8(a.gain + c, a.columns - c, wide, gain);
        load8(dresidual + c, a.dresidual ? a.columns - c : 0, wide, residual);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            gradients[j] = residual[j] + rstd * (gradients[j] * gain[j] - values[j] * rstd * mean_dn_n);
        }
        store8(dx + c, a.columns - c, wide, gradients);
    }
}

KERNEL(rms_gradient_f32, 256, RmsGradientArguments) { rms_gradient<float>(a); }
KERNEL(rms_gradient_bf16, 256, RmsGradientArguments) { rms_gradient<bf16>(a); }
KERNEL(rms_gradient_f16, 256, RmsGradientArguments) { rms_gradient<f16>(a); }

// Sums over a slice of rows of dy * n, for the gain; as sum_slices of moves.cu.
struct RmsSlicesArguments {
    float *partials; // (slices, columns)
    const void *dy;
    const void *x;
    const float *rstd;
    int64 rows, columns, rows_per_slice;
};

template <class T> DEVICE void rms_slices(const RmsSlicesArguments &a) {
    float *gains = (float *)shared_memory(); // 8 x 32
    int64 column = (int64)blockIdx.x * WARP + lane();
    int64 from = (int64)blockIdx.y * a.rows_per_slice;
    int64 to = min(from + a.rows_per_slice, a.rows);
    float gain = 0;
    if (column < a.columns) {
        for (int64 row = from + warp(); row < to; row += 8) {
            float dy = widen(((const T *)a.dy)[row * a.columns + column]);
            float x = widen(((const T *)a.x)[row * a.columns + column]);
            gain += dy * x * a.rstd[row];
        }
    }
    gains[threadIdx.x] = gain;
    BARRIER();
    if (warp() == 0 && column < a.columns) {
        for (int i = 1; i < 8; i++) {
            gain += gains[i * WARP + lane()];
        }
        a.partials[(int64)blockIdx.y * a.columns + column] = gain;
    }
}

KERNEL(rms_slices_f32, 256, RmsSlicesArguments) { rms_slices<float>(a); }
KERNEL(rms_slices_bf16, 256, RmsSlicesArguments) { rms_slices<bf16>(a); }
KERNEL(rms_slices_f16, 256, RmsSlicesArguments) { rms_slices<f16>(a); }
