package io.penstock.models;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.HostMemory;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.Write;
import org.jspecify.annotations.Nullable;

/** Computes nothing: what remains is what the layers themselves do. */
public class IdleBackend implements Backend {
    @Override
    public String description() {
        return "idle";
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        return new HostMemory(bytes);
    }

    @Override
    public long workspaceBytes() {
        return 0;
    }

    @Override
    public void zero(Tensor x) {}

    @Override
    public void copy(Tensor y, Tensor x) {}

    @Override
    public void add(Tensor y, Tensor x) {}

    @Override
    public void addAll(Tensor y, Tensor[] terms) {}

    @Override
    public void matmul(
            Tensor c, Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias, Write write) {}

    @Override
    public void sumRows(Tensor db, Tensor dy) {}

    @Override
    public void embedding(Tensor y, Tensor tokens, Tensor wte, @Nullable Tensor wpe, int sequence) {}

    @Override
    public void embeddingBackward(Tensor dwte, @Nullable Tensor dwpe, Tensor dy, Tensor tokens, int sequence) {}

    @Override
    public void layerNorm(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gain, Tensor bias, float eps) {}

    @Override
    public void addLayerNorm(
            Tensor sum,
            Tensor y,
            Tensor mean,
            Tensor rstd,
            Tensor x,
            Tensor residual,
            Tensor gain,
            Tensor bias,
            float eps) {}

    @Override
    public void layerNormBackward(
            Tensor dx,
            Tensor dgain,
            Tensor dbias,
            Tensor dy,
            @Nullable Tensor dresidual,
            Tensor x,
            Tensor gain,
            Tensor mean,
            Tensor rstd) {}

    @Override
    public void attention(Tensor o, Tensor lse, Tensor q, Tensor k, Tensor v, AttentionShape shape) {}

    @Override
    public void attentionBackward(
            Tensor dq,
            Tensor dk,
            Tensor dv,
            Tensor dO,
            Tensor o,
            Tensor lse,
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionShape shape) {}

    @Override
    public void rmsNorm(Tensor y, Tensor rstd, Tensor x, Tensor gain, float eps) {}

    @Override
    public void addRmsNorm(Tensor sum, Tensor y, Tensor rstd, Tensor x, Tensor residual, Tensor gain, float eps) {}

    @Override
    public void rmsNormBackward(
            Tensor dx, Tensor dgain, Tensor dy, @Nullable Tensor dresidual, Tensor x, Tensor gain, Tensor rstd) {}

    @Override
    public void rotary(Tensor y, Tensor x, int headSize, int sequence, double theta) {}

    @Override
    public void rotaryBackward(Tensor dx, Tensor dy, int headSize, int sequence, double theta) {}

    @Override
    public void swiglu(Tensor y, Tensor gate, Tensor up) {}

    @Override
    public void swigluBackward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {}

    @Override
    public void gelu(Tensor y, Tensor x) {}

    @Override
    public void geluBackward(Tensor dx, Tensor dy, Tensor x) {}

    @Override
    public void crossEntropy(Tensor loss, @Nullable Tensor dlogits, Tensor logits, Tensor targets, float scale) {}

    @Override
    public void embeddingPart(Tensor y, Tensor tokens, Tensor wte, int first) {}

    @Override
    public void embeddingPartBackward(Tensor dwte, Tensor dy, Tensor tokens, int first) {}

    @Override
    public void softmaxPart(Tensor statistics, Tensor logits, Tensor targets, int first) {}

    @Override
    public void crossEntropyPart(
            Tensor loss,
            @Nullable Tensor dlogits,
            Tensor logits,
            Tensor targets,
            Tensor statistics,
            int first,
            float scale) {}

    @Override
    public void sum(Tensor sum, Tensor x) {}

    @Override
    public void sumOfSquares(Tensor sum, Tensor x) {}

    @Override
    public void adamW(
            Tensor weight,
            Tensor m,
            Tensor v,
            Tensor gradient,
            @Nullable Tensor working,
            float learningRate,
            float beta1,
            float beta2,
            float eps,
            float weightDecay,
            float correction1,
            float correction2,
            float gradientScale) {}

    @Override
    public void synchronize() {}

    @Override
    public void close() {}
}
