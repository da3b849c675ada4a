// What both kinds of attention kernels take. Causal attention of each sequence and head: s[t][u] = q[t] . k[u] / sqrt(H) for u <= t, lse[t] = log sum_u
// exp(s[t][u]), p = exp(s - lse), o[t] = sum_u p[t][u] v[u]. Query head n reads key and value head n / (N / Nkv). Dao et al. 2022.
#pragma once
#include "device.cuh"

struct AttentionArguments {
    void *o;    // (B T, N H), contiguous
    float *lse; // (B, N, T)
    const void *q;
    const void *k;
    const void *v;
    int64 q_stride, k_stride, v_stride;
    int sequence, heads, key_heads, head_size;
    float scale;
    int unused;
};

struct AttentionGradientArguments {
    void *dq;
    void *dk;
    void *dv;
    const void *dout; // contiguous, as o
    const float *lse;
    const float *delta; // (B, N, T): sum_h do o
    const void *q;
    const void *k;
    const void *v;
    int64 dq_stride, dk_stride, dv_stride, q_stride, k_stride, v_stride;
    int sequence, heads, key_heads, head_size;
    float scale;
    int unused;
};

// Where head `head` of sequence `b` begins.
template <class T> DEVICE const T *head_of(const void *x, int64 stride, int b, int sequence, int head, int head_size) {
    return (const T *)x + (int64)b * sequence * stride + (int64)head * head_size;
}

template <class T> DEVICE T *head_of(void *x, int64 stride, int b, int sequence, int head, int head_size) {
    return (T *)x + (int64)b * sequence * stride + (int64)head * head_size;
}
