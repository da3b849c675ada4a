package io.penstock.tensor;

/** Sizes of one causal attention: {@code batch} sequences of {@code sequence} tokens, {@code heads} query heads sharing {@code keyValueHeads}. */
public record AttentionShape(int batch, int sequence, int heads, int keyValueHeads, int headSize) {
    public AttentionShape {
        if (batch < 1 || sequence < 1 || heads < 1 || keyValueHeads < 1 || headSize < 1) {
            throw new IllegalArgumentException("attention sizes must be positive: B=" + batch + " T=" + sequence + " N="
                    + heads + " Nkv=" + keyValueHeads + " H=" + headSize);
        }
        Checks.divideExact(heads, "heads", keyValueHeads, "key_value_heads");
    }

    public long rows() {
        return (long) batch * sequence;
    }
}
