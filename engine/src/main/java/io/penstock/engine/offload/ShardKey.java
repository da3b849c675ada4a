package io.penstock.engine.offload;

/** Which bytes: those of the tensor of this name (a parameter's master, a moment, ...) that belong to this rank. */
record ShardKey(String tensor, int rank) {
    /** As it stands in the map: {@code m:h.0.attn.c_attn.weight#3}. */
    @Override
    public String toString() {
        return tensor + "#" + rank;
    }
}
