// IEEE 754 binary16 to and from binary32, for the stand-ins of a GPU: written from the formats, not from the kernels.
#pragma once

#include <cstdint>
#include <cstring>

namespace host {

inline float from_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    if (exponent == 0) {
        float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    uint32_t bits = sign | (exponent == 0x1f ? 0xffu : exponent + 112) << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// To nearest, ties to even; too large is infinity.
inline uint16_t to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t exponent = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
    if (exponent == 0xff) {
        return (uint16_t)(sign | (fraction ? 0x7fff : 0x7c00)); // the NaN of cvt.f16
    }
    if (exponent < 102) {
        return sign; // below half of the smallest step
    }
    // how many bits of the significand go: 13, more where there is no leading 1
    uint32_t drop = exponent < 113 ? 126 - exponent : 13;
    uint32_t significand = fraction | 0x800000;
    uint32_t kept = significand >> drop, rest = significand & ((1u << drop) - 1), tie = 1u << (drop - 1);
    kept += rest > tie || (rest == tie && (kept & 1));
    // kept has its leading 1 on where there is one: it counts as one exponent
    uint32_t half = exponent < 113 ? kept : ((exponent - 113) << 10) + kept;
    return (uint16_t)(sign | (half >= 0x7c00 ? 0x7c00 : half));
}

} // namespace host
