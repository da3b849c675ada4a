package io.penstock.models.gpt2;

import io.penstock.models.Embedding;
import io.penstock.models.LayerContext;
import io.penstock.models.Parameter;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.models.vocabulary.ChunkViews;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;

/**
 * {@link TokenAndPositionEmbedding} with the token table split by rows over a group (Shoeybi et al. 2019): every rank looks up the tokens of its part, zeros for the
 * others, and the group sums; rank 0 adds the positions. A sum with one term but zero and a position has the bits of the whole embedding.
 */
final class VocabularyParallelEmbedding implements Embedding {
    private final Backend backend;
    private final ParallelRegion region;
    private final boolean addsPositions;
    private final int firstToken;
    /** The sequences of the tensors that callers pass. */
    private final ChunkViews sequences;

    private final Tensor wte_VC;
    private final Tensor wpe_TC;
    private final Tensor dwte_VC;
    private final Tensor dwpe_TC;

    VocabularyParallelEmbedding(LayerContext context, Gpt2Shard shard, ParallelRegion region) {
        int sequence = context.microBatch().sequence();
        this.backend = context.backend();
        this.region = region;
        this.addsPositions = shard.split().index() == 0;
        this.firstToken = shard.firstToken();
        this.sequences = ChunkViews.sequences(context.microBatch());
        Parameter tokens = context.parameters().parameter(Gpt2Parameters.TOKEN_TABLE);
        Parameter positions = context.parameters().parameter(Gpt2Parameters.POSITION_TABLE);
        this.wte_VC = tokens.value();
        this.dwte_VC = tokens.gradient();
        this.wpe_TC = positions.value().slice(0, sequence);
        this.dwpe_TC = positions.gradient().slice(0, sequence);
    }

    @Override
    public void forward(Tensor y_BTC, Tensor tokens_BT) {
        Tensor partial_BTC = region.partial(y_BTC, 0);
        backend.embeddingPart(partial_BTC, tokens_BT, wte_VC, firstToken);
        if (addsPositions) {
            for (Tensor y_TC : sequences.of(partial_BTC)) {
                backend.add(y_TC, wpe_TC);
            }
        }
        region.sumInto(y_BTC, partial_BTC, 0);
    }

    /** The gradient of the positions is found by every rank. */
    @Override
    public void backwardWeight(Tensor dy_BTC, Tensor tokens_BT) {
        Tensor dyAll_BTC = region.gather(dy_BTC, 0);
        // forward: y = wte[tokens] + wpe[t]
        backend.embeddingPartBackward(dwte_VC, dyAll_BTC, tokens_BT, firstToken);
        for (Tensor dy_TC : sequences.of(dyAll_BTC)) {
            backend.add(dwpe_TC, dy_TC);
        }
    }
}
