package io.penstock.models;

import io.penstock.tensor.AttentionShape;

/** What a layer asks of a device in one phase, for the time model. */
public sealed interface Work {
    /** Floating-point operations, multiply and add counted as two. */
    double flops();

    /** {@code (m, k) x (k, n)}. */
    record MatrixProduct(long m, long k, long n) implements Work {
        @Override
        public double flops() {
            return 2.0 * m * k * n;
        }
    }

    /** Causal attention; {@code products} of size T x T x H a head (2 forward, 5 backward), half of each skipped by causality. */
    record Attention(AttentionShape shape, int products) implements Work {
        @Override
        public double flops() {
            double square = (double) shape.sequence() * (shape.sequence() + 1) / 2;
            return 2.0 * products * shape.batch() * shape.heads() * square * shape.headSize();
        }
    }

    /** Bound by memory: bytes read and written. */
    record MemoryPass(String name, long bytes) implements Work {
        @Override
        public double flops() {
            return 0;
        }
    }
}
