package io.penstock.models.gpt2;

import io.penstock.models.Embedding;
import io.penstock.models.LayerContext;
import io.penstock.models.Parameter;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;

/** y[b, t] = wte[tokens[b, t]] + wpe[t]. Radford et al. 2019. */
final class TokenAndPositionEmbedding implements Embedding {
    private final Backend backend;
    private final int sequence;
    private final Tensor wte_VC;
    private final Tensor wpe_TC;
    private final Tensor dwte_VC;
    private final Tensor dwpe_TC;

    TokenAndPositionEmbedding(LayerContext context) {
        this.backend = context.backend();
        this.sequence = context.microBatch().sequence();
        Parameter tokens = context.parameters().parameter(Gpt2Parameters.TOKEN_TABLE);
        Parameter positions = context.parameters().parameter(Gpt2Parameters.POSITION_TABLE);
        this.wte_VC = tokens.value();
        this.dwte_VC = tokens.gradient();
        this.wpe_TC = positions.value().slice(0, sequence);
        this.dwpe_TC = positions.gradient().slice(0, sequence);
    }

    @Override
    public void forward(Tensor y_BTC, Tensor tokens_BT) {
        backend.embedding(y_BTC, tokens_BT, wte_VC, wpe_TC, sequence);
    }

    @Override
    public void backwardWeight(Tensor dy_BTC, Tensor tokens_BT) {
        // forward: y = wte[tokens] + wpe[t]
        backend.embeddingBackward(dwte_VC, dwpe_TC, dy_BTC, tokens_BT, sequence);
    }
}
